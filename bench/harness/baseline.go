package harness

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// ProxyRole is the role of the process that StartProxy starts. The program that calls
// StartProxy has RunProxy as this role.
const ProxyRole = "proxy"

// StartProxy starts RunProxy with instances, in a process of its own. It returns the proxy's URL
// and process ID.
func StartProxy(ctx context.Context, started *Processes, instances []string) (url string, pid int, err error) {
	dir, err := os.MkdirTemp("", "jeton-proxy-")
	if err != nil {
		return "", 0, err
	}
	defer os.RemoveAll(dir)
	addressFile := filepath.Join(dir, "address")
	command, err := Command(ctx, ProxyRole, append([]string{addressFile}, instances...)...)
	if err != nil {
		return "", 0, err
	}
	if pid, err = started.Start(command); err != nil {
		return "", 0, err
	}
	if err := WaitForFile(ctx, addressFile); err != nil {
		return "", 0, err
	}
	address, err := os.ReadFile(addressFile)
	return "http://" + string(address), pid, err
}

// WaitForFile waits until a file exists.
func WaitForFile(ctx context.Context, path string) error {
	return await.Until(ctx, path+" exists", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
}

// proxyTo returns BareProxy, or EncryptedProxy for an instance of Encrypted.
func proxyTo(instance string, idleConnections int, buffers *gateway.Buffers) (http.Handler, error) {
	if dir, address, ok := strings.Cut(instance, "@"); ok {
		return EncryptedProxy(dir, address, idleConnections, buffers)
	}
	return BareProxy(instance, idleConnections, buffers), nil
}

// RunProxy serves BareProxy in front of instances, and writes its address to a file: the
// first argument, before the instances. With one instance it forwards calls
// concurrently; with several it forwards one call at a time to each. It has the garbage
// collector's settings and the buffers of the gateway.
func RunProxy(arguments []string) error {
	addressFile, instances := arguments[0], arguments[1:]
	server.CollectLessOften()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	const idleConnections = 64
	buffers := &gateway.Buffers{}
	idle := make(chan http.Handler, len(instances))
	var handler http.Handler
	for _, instance := range instances {
		if handler, err = proxyTo(instance, idleConnections, buffers); err != nil {
			return err
		}
		idle <- handler
	}
	if len(instances) > 1 {
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			instance := <-idle
			defer func() { idle <- instance }()
			instance.ServeHTTP(w, r)
		})
	}
	unfinished := addressFile + ".new"
	if err := os.WriteFile(unfinished, []byte(listener.Addr().String()), 0o644); err != nil {
		return err
	}
	if err := os.Rename(unfinished, addressFile); err != nil {
		return err
	}
	return http.Serve(listener, handler)
}
