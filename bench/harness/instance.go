package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// instanceProgram is the instance that serves the calls of a baseline, without a sandbox.
// It is a small program of its own, as an instance of the deployed function is: in a
// larger process, such as this one, the garbage collector runs less often.
const instanceProgram = `package main

import (
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("` + Hello + `"))
	})))
}
`

// BuildInstance builds a program in dir that answers Hello, and returns its path. Its
// arguments are a network and an address.
func BuildInstance(ctx context.Context, dir string) (string, error) {
	return buildProgram(ctx, dir, "instance", instanceProgram)
}

// buildProgram builds the program of one file in dir, and returns its path.
func buildProgram(ctx context.Context, dir, name, text string) (string, error) {
	source, program := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the %s: %w\n%s", name, err, output)
	}
	return program, nil
}

// instanceMemory is the memory limit of an instance in MiB. Its share of a CPU is large
// enough that the CPU limit never stops an instance: otherwise that limit would be
// measured.
const instanceMemory = 1024

// handler is the deployed function. It answers like instanceProgram.
const handler = `package hello

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte("` + Hello + `")) }
`

// DeployPrivate deploys a private function with one instance per connection, and returns
// calls of it.
func DeployPrivate(ctx context.Context, s *Server, connections, calls int) (Load, error) {
	namespace, err := s.Namespace(ctx, "bench")
	if err != nil {
		return Load{}, err
	}
	instances, memory := uint32(connections), uint32(instanceMemory)
	f, err := s.Deploy(ctx, &function.CreateFunctionRequest{
		NamespaceID: namespace.ID, Name: "hello", Runtime: "go126", Privacy: function.FunctionPrivacyPrivate,
		MinScale: &instances, MaxScale: &instances, MemoryLimit: &memory,
	}, map[string]string{"go.mod": "module example.org/hello\n\ngo 1.21\n", "f.go": handler})
	if err != nil {
		return Load{}, err
	}
	token, err := s.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}, scw.WithContext(ctx))
	if err != nil {
		return Load{}, err
	}
	return Load{
		URLs: []string{s.Gateway}, Host: f.DomainName, Token: token.Token, PID: s.PID(), Calls: calls, Connections: connections,
	}, nil
}
