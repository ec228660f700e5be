package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/stage"
)

// jeton is a server of its own process.
type jeton struct {
	*function.API
	process *exec.Cmd
	gateway string
	// credentials is the path of the file with the first API key.
	credentials string
}

// serve starts bin/jeton with a fresh data folder.
func (b *bench) serve(ctx context.Context, name string, args ...string) (*jeton, error) {
	data := filepath.Join(b.dir, name)
	log, err := os.Create(data + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	arguments := append([]string{
		"serve", "--data-dir", data, "--cache-dir", filepath.Join(b.root, ".cache"), "--log-level=warn",
		"--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=",
	}, args...)
	process := exec.CommandContext(ctx, filepath.Join(b.root, "bin", "jeton"), arguments...)
	process.Stdout, process.Stderr = log, log
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	if err := process.Start(); err != nil {
		return nil, err
	}
	var endpoints struct{ API, Gateway string }
	err = eventually(ctx, func() bool {
		content, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		return err == nil && json.Unmarshal(content, &endpoints) == nil
	})
	if err != nil {
		return nil, fmt.Errorf("start jeton: %w", err)
	}
	credentials := data + ".credentials.yaml"
	config, err := scw.LoadConfigFromPath(credentials)
	if err != nil {
		return nil, err
	}
	client, err := scw.NewClient(scw.WithProfile(&config.Profile))
	if err != nil {
		return nil, err
	}
	return &jeton{API: function.NewAPI(client), process: process, gateway: endpoints.Gateway, credentials: credentials}, nil
}

func (j *jeton) stop() {
	_ = j.process.Process.Signal(syscall.SIGTERM)
	_ = j.process.Wait()
}

// deploy makes a private function of some files, and a token for it.
func (j *jeton) deploy(ctx context.Context, request *function.CreateFunctionRequest, files map[string]string) (*function.Function, string, error) {
	poll, limit := 20*time.Millisecond, 5*time.Minute
	namespace, err := j.CreateNamespace(&function.CreateNamespaceRequest{Name: "bench"}, scw.WithContext(ctx))
	if err != nil {
		return nil, "", err
	}
	_, err = j.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: namespace.ID, RetryInterval: &poll, Timeout: &limit}, scw.WithContext(ctx))
	if err != nil {
		return nil, "", err
	}
	request.NamespaceID, request.Privacy = namespace.ID, function.FunctionPrivacyPrivate
	f, err := stage.Deploy(ctx, j.API, request, files)
	if err != nil {
		return nil, "", err
	}
	token, err := j.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}, scw.WithContext(ctx))
	if err != nil {
		return nil, "", err
	}
	return f, token.Token, nil
}

// eventually waits for something to become true.
func eventually(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// Short against what is measured, and long against one look.
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
