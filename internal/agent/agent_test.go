package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/test/await"
)

// A pod is an agent with a launcher that does nothing.
type pod struct {
	address  string
	node     *agent.Identity
	launcher *net.UnixConn
	// stop ends the context of the agent, and ended receives its result.
	stop  context.CancelFunc
	ended chan error
}

// pods counts the Pods of this process.
var pods atomic.Int64

func startPod(t *testing.T, config agent.Config) *pod {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "ja") //nolint:usetesting // The path of a socket must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &pod{ended: make(chan error, 1)}
	if p.node, err = agent.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	// No other process uses the addresses of this one.
	n := pods.Add(1)
	p.address = fmt.Sprintf("127.%d.%d.%d:%d", 10+os.Getpid()%200, 200+n/250, 1+n%250, wire.Port)
	config.Listen, config.Dir, config.NodeKey, config.Log = p.address, dir, p.node.Key(), slog.New(slog.DiscardHandler)
	config.Token = filepath.Join(dir, "token")
	if err := os.WriteFile(config.Token, []byte("the token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if config.Patience == 0 {
		config.Patience = await.Patience
	}
	ctx, stop := context.WithCancel(t.Context())
	p.stop = stop
	t.Cleanup(stop)
	go func() { p.ended <- agent.Run(ctx, config) }()
	await.True(t, "the launcher is connected", func() bool {
		p.launcher, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, "launcher.sock"), Net: "unix"})
		return err == nil
	})
	t.Cleanup(func() { _ = p.launcher.Close() })
	return p
}

// connect connects as the node.
func (p *pod) connect(t *testing.T) *wire.Conn {
	t.Helper()
	var conn *tls.Conn
	await.True(t, "the agent accepts connections", func() (ok bool) {
		var err error
		conn, err = tls.Dial("tcp", p.address, p.node.ClientConfig(wire.Control, func(string) bool { return true }))
		return err == nil
	})
	t.Cleanup(func() { _ = conn.Close() })
	return wire.NewConn(conn)
}

func wantToken(t *testing.T, c *wire.Conn) {
	t.Helper()
	kind, payload, err := c.Receive()
	if greeting, decodeErr := wire.DecodeGreeting(payload); err != nil || kind != wire.Hello || decodeErr != nil || greeting.Token != "the token" {
		t.Errorf("Receive() = %q, %s, %v, want the token", kind, payload, err)
	}
}

func (p *pod) wantEnd(t *testing.T) {
	t.Helper()
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("Run() = %v", err)
		}
	case <-time.After(await.Patience):
		t.Error("the agent does not end")
	}
}

func TestRun_EndsWithItsNode(t *testing.T) {
	t.Parallel()
	p := startPod(t, agent.Config{})
	node := p.connect(t)
	wantToken(t, node)
	_ = node.Close()
	p.wantEnd(t)
	// The first byte came with the socket of the function.
	if _, err := io.ReadAll(p.launcher); err != nil {
		t.Errorf("the launcher's connection ends with %v, want its end", err)
	}
}

func TestRun_ReportsTheEndOfTheLauncher(t *testing.T) {
	t.Parallel()
	p := startPod(t, agent.Config{})
	node := p.connect(t)
	wantToken(t, node)
	_ = p.launcher.Close()
	if kind, _, err := node.Receive(); kind != wire.Lost || err != nil {
		t.Errorf("Receive() = %q, %v, want %q", kind, err, wire.Lost)
	}
	_ = node.Close()
	p.wantEnd(t)
}

// TestRun_EndsWithASilentNode cuts the network between the node and a Pod: no packet says that the node
// has gone.
func TestRun_EndsWithASilentNode(t *testing.T) {
	t.Parallel()
	p := startPod(t, agent.Config{Silence: 100 * time.Millisecond})
	wantToken(t, p.connect(t))
	p.wantEnd(t)
	// The launcher ends with the agent, and with it the function.
	if _, err := io.ReadAll(p.launcher); err != nil {
		t.Errorf("the launcher's connection ends with %v, want its end", err)
	}
}

func TestRun_EndsWithoutANode(t *testing.T) {
	t.Parallel()
	startPod(t, agent.Config{Patience: 10 * time.Millisecond}).wantEnd(t)
}

func TestRun_AcceptsOneControlConnection(t *testing.T) {
	t.Parallel()
	p := startPod(t, agent.Config{})
	wantToken(t, p.connect(t))
	if kind, payload, err := p.connect(t).Receive(); err == nil {
		t.Errorf("a second connection receives %q, %s", kind, payload)
	}
}

// TestRun_SaysNothingWhileTheCanaryIsReachable checks that no token is sent, and so no order can come,
// before the Pod fails to reach the canary.
func TestRun_SaysNothingWhileTheCanaryIsReachable(t *testing.T) {
	t.Parallel()
	canary, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reached := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := canary.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			_ = conn.Close()
			reached <- struct{}{}
		}
	}()
	node := startPod(t, agent.Config{Canary: canary.Addr().String()}).connect(t)
	greeted := make(chan struct{})
	go func() {
		defer close(greeted)
		wantToken(t, node)
	}()
	for range 3 {
		select {
		case <-reached:
		case <-greeted:
			t.Fatal("the agent sends its token although it reaches the canary")
		}
	}
	_ = canary.Close()
	<-greeted
}

// TestRun_LeavingContinuesUntilTheNodeHasEnded ends the agent as Kubernetes ends a Pod.
func TestRun_LeavingContinuesUntilTheNodeHasEnded(t *testing.T) {
	t.Parallel()
	p := startPod(t, agent.Config{})
	node := p.connect(t)
	wantToken(t, node)
	p.stop()
	if kind, _, err := node.Receive(); kind != wire.Leaving || err != nil {
		t.Fatalf("Receive() = %q, %v, want %q", kind, err, wire.Leaving)
	}
	// The function still serves.
	if err := wire.NewConn(p.launcher).Send(wire.Stdout, []byte("text")); err != nil {
		t.Fatal(err)
	}
	if kind, payload, err := node.Receive(); kind != wire.Stdout || string(payload) != "text" || err != nil {
		t.Errorf("Receive() = %q, %s, %v, want the output", kind, payload, err)
	}
	select {
	case err := <-p.ended:
		t.Fatalf("the agent ends before its node: %v", err)
	default:
	}
	_ = node.Close()
	p.wantEnd(t)
}

func TestRun_LeavingWithoutANodeEnds(t *testing.T) {
	t.Parallel()
	p := startPod(t, agent.Config{})
	p.stop()
	p.wantEnd(t)
}
