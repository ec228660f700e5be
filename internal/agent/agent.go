package agent

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/agent/launcher"
	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// functionSocket is the socket of the function in Config.Dir. The launcher receives it as an open file.
const functionSocket = "function.sock"

const (
	// handshakeTimeout bounds a TLS handshake, and maxConnections the connections at once:
	// other Pods may connect if no policy forbids it.
	handshakeTimeout = 10 * time.Second
	maxConnections   = 256
	// defaultSilence is the default of Config.Silence.
	defaultSilence = 30 * time.Second
	// The pause after an error of accept, such as too many open files, doubles from shortestPause up
	// to longestPause.
	shortestPause, longestPause = 5 * time.Millisecond, time.Second
	// canaryTimeout is how long an attempt to reach the canary may take.
	canaryTimeout = 500 * time.Millisecond
)

// Config configures an agent. Dir, Token and NodeKey are required.
type Config struct {
	// Listen is the TCP address for the node; empty means all addresses and wire.Port.
	Listen string
	// Dir is the folder that the launcher sees too, read-only.
	Dir string
	// Token is the file with the projected token of the Pod.
	Token string
	// NodeKey is the fingerprint of the key of the node that made the Pod.
	NodeKey string
	// Patience is how long the agent waits for the node to connect.
	Patience time.Duration
	// Silence is how long a connected node may send nothing before the agent and the launcher end, as when
	// the network between them is cut; 0 for 30 seconds. The node notices at the same time.
	Silence time.Duration
	// Canary is an address that the Pod must not reach, because of its network policy. The agent
	// says nothing to the node before the connection fails. Empty means no such check.
	Canary string
	// Bootstraps are the files that interpreters run before their function is known, by name.
	Bootstraps map[string][]byte
	// Toolchains is what the launcher reads instead of looking for toolchains itself; nil for none.
	Toolchains []byte
	// Home is the empty folder for the artifact of a function; empty means that the launcher unpacks it.
	Home string
	Log  *slog.Logger
}

// An agent is the state of Run.
type agent struct {
	config   Config
	identity *Identity
	launcher *wire.Conn
	// control receives the connection of the node, once.
	control chan *wire.Conn
	claimed atomic.Bool
	slots   chan struct{}
}

// Run runs an agent until the node or the launcher has ended, and returns nil then. It also
// returns nil if no node has connected within Patience, or before ctx ends. When ctx ends later,
// Run reports to the node that the Pod is leaving, and continues: the node decides when the
// function has ended its calls.
func Run(ctx context.Context, c Config) error {
	if c.Dir == "" || c.Token == "" || c.NodeKey == "" || c.Log == nil {
		return errors.New("agent: Dir, Token, NodeKey and Log are required")
	}
	identity, err := NewIdentity()
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	if c.Silence == 0 {
		c.Silence = defaultSilence
	}
	if c.Listen == "" {
		c.Listen = fmt.Sprintf(":%d", wire.Port)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	defer listener.Close()
	a := &agent{config: c, identity: identity, control: make(chan *wire.Conn, 1), slots: make(chan struct{}, maxConnections)}
	// The node connects while the launcher starts.
	go a.accept(listener)
	if a.launcher, err = a.acceptLauncher(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("agent: %w", err)
	}
	defer a.launcher.Close()
	return a.serve(ctx)
}

// acceptLauncher waits for the launcher, the first process that connects, and gives it the socket
// of the function. No code of a function runs before.
func (a *agent) acceptLauncher(ctx context.Context) (*wire.Conn, error) {
	if err := a.writeFiles(); err != nil {
		return nil, err
	}
	function, err := listenUnix(filepath.Join(a.config.Dir, functionSocket))
	if err != nil {
		return nil, err
	}
	defer func() { _ = function.Close() }()
	launchers, err := listenUnix(filepath.Join(a.config.Dir, launcher.Socket))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = launchers.Close() })
	defer stop()
	conn, err := launchers.AcceptUnix()
	_ = launchers.Close()
	if err != nil {
		return nil, fmt.Errorf("wait for the launcher: %w", err)
	}
	if err := sendListener(conn, function); err != nil {
		return nil, fmt.Errorf("send the socket to the launcher: %w", err)
	}
	return wire.NewConn(conn), nil
}

// writeFiles writes the files that the launcher reads.
func (a *agent) writeFiles() error {
	if a.config.Toolchains != nil {
		if err := os.WriteFile(filepath.Join(a.config.Dir, launcher.Toolchains), a.config.Toolchains, 0o644); err != nil {
			return err
		}
	}
	dir := filepath.Join(a.config.Dir, launcher.Bootstraps)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range a.config.Bootstraps {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// listenUnix listens on a socket that other users can connect to.
func listenUnix(path string) (*net.UnixListener, error) {
	_ = os.Remove(path)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o666); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

func sendListener(conn *net.UnixConn, listener *net.UnixListener) error {
	file, err := listener.File()
	if err != nil {
		return err
	}
	defer file.Close()
	return sendFile(conn, file)
}

// accept serves connections until the listener is closed.
func (a *agent) accept(listener net.Listener) {
	accepts := func(key string) bool {
		return subtle.ConstantTimeCompare([]byte(key), []byte(a.config.NodeKey)) == 1
	}
	config := a.identity.config([]string{wire.Control, wire.Call}, accepts)
	pause := shortestPause
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			a.config.Log.Warn("accept failed", "after", pause, "error", err)
			<-time.After(pause)
			pause = min(2*pause, longestPause)
			continue
		}
		pause = shortestPause
		select {
		case a.slots <- struct{}{}:
			go func() {
				defer func() { <-a.slots }()
				a.handle(tls.Server(conn, config))
			}()
		default:
			_ = conn.Close()
		}
	}
}

// handle serves one connection after its handshake.
func (a *agent) handle(conn *tls.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	err := conn.HandshakeContext(ctx)
	cancel()
	if err != nil {
		a.config.Log.Warn("connection refused", "from", conn.RemoteAddr().String(), "error", err)
		_ = conn.Close()
		return
	}
	switch {
	case conn.ConnectionState().NegotiatedProtocol == wire.Call:
		a.call(conn)
	case a.claimed.CompareAndSwap(false, true):
		a.control <- wire.NewConn(conn)
	default:
		a.config.Log.Warn("connection refused", "from", conn.RemoteAddr().String(), "error", "the node is connected already")
		_ = conn.Close()
	}
}

// call passes bytes between the node and the function.
func (a *agent) call(conn *tls.Conn) {
	defer func() { _ = conn.Close() }()
	function, err := new(net.Dialer).DialContext(context.Background(), "unix", filepath.Join(a.config.Dir, functionSocket))
	if err != nil {
		return // The function has ended. The node sees that the connection is closed.
	}
	defer function.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(conn, function)
		_ = conn.Close()
	}()
	if _, err := io.Copy(function, conn); err == nil {
		if unix, ok := function.(*net.UnixConn); ok {
			_ = unix.CloseWrite()
		}
		<-done
	}
}

// serve waits for the node, proves who the Pod is, and passes frames on until one side ends.
func (a *agent) serve(ctx context.Context) error {
	patience := time.NewTimer(a.config.Patience)
	defer patience.Stop()
	var node *wire.Conn
	select {
	case node = <-a.control:
	case <-patience.C:
		a.config.Log.Info("no node has connected", "within", a.config.Patience)
		return nil
	case <-ctx.Done():
		return nil
	}
	defer node.Close()
	if err := a.greet(ctx, node); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("agent: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = node.Send(wire.Leaving, nil) })
	defer stop()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	// The end of one side ends the other one.
	context.AfterFunc(ctx, func() { _, _ = node.Close(), a.launcher.Close() })
	go func() {
		defer cancel()
		a.config.Log.Info("the node has ended", "error", a.passOrders(node))
	}()
	a.config.Log.Info("the launcher has ended", "error", a.passReports(node))
	// The node closes the connection when it has read the last frame.
	_ = node.Send(wire.Lost, nil)
	<-ctx.Done()
	return nil
}

// greet sends the token of the Pod to the node, when the network policy is in force.
func (a *agent) greet(ctx context.Context, node *wire.Conn) error {
	for a.reachesCanary(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	token, err := os.ReadFile(a.config.Token)
	if err != nil {
		return fmt.Errorf("read token: %w", err)
	}
	return node.SendJSON(wire.Hello, wire.Greeting{Token: strings.TrimSpace(string(token))})
}

func (a *agent) reachesCanary(ctx context.Context) bool {
	if a.config.Canary == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", a.config.Canary)
	if err != nil {
		return false
	}
	_ = conn.Close()
	select {
	case <-time.After(canaryTimeout / 20):
	case <-ctx.Done():
	}
	return true
}

// passOrders passes frames from the node to the launcher. It returns why it ended.
func (a *agent) passOrders(node *wire.Conn) error {
	for {
		if err := node.SetReadDeadline(time.Now().Add(a.config.Silence)); err != nil {
			return err
		}
		kind, payload, err := node.Receive()
		if err != nil {
			return err
		}
		if kind == wire.Ping {
			continue
		}
		if !kind.FromNode() {
			return fmt.Errorf("unexpected frame %q of the node", byte(kind))
		}
		if kind == wire.Order {
			if err := a.order(node, payload); err != nil {
				return err
			}
			continue
		}
		// The end of the launcher is noticed by passReports.
		_ = a.launcher.Send(kind, payload)
	}
}

// passReports passes frames from the launcher to the node. It returns why it ended.
func (a *agent) passReports(node *wire.Conn) error {
	for {
		kind, payload, err := a.launcher.Receive()
		if err != nil {
			return err
		}
		if !kind.FromLauncher() {
			return fmt.Errorf("unexpected frame %q of the launcher", byte(kind))
		}
		if err := node.Send(kind, payload); err != nil {
			return err
		}
	}
}
