package kubernetes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/wire"
)

const (
	// pingInterval is the interval at which an agent is shown that this node exists.
	pingInterval = 5 * time.Second
	// redial is the pause after an agent has refused a connection, because it does not listen yet.
	redial = 10 * time.Millisecond
	// dialTimeout bounds one connection and its handshake.
	dialTimeout = 5 * time.Second
	// unacknowledged is how long what was sent may stay unacknowledged before a connection is broken.
	unacknowledged = 30 * time.Second
)

// A session is a Pod with the connection to its agent, which has proved to be in that Pod.
type session struct {
	kind         kind
	name, uid    string
	address, key string
	identity     *agent.Identity
	conn         *wire.Conn
	// prepared is closed when the launcher waits for an order.
	prepared chan struct{}
	// leaving is closed when Kubernetes ends the Pod; onLeave is called then.
	leaving chan struct{}
	onLeave func()
	// ended is closed when the connection has ended; then err says why, unless exit is set.
	ended chan struct{}
	err   error
	exit  *wire.Exit

	mu sync.Mutex
	// sink receives the frames of the launcher after an order. Frames before it break the connection.
	sink func(kind wire.Kind, payload []byte) error
	// spare is an open connection for the first call; nil after that call.
	spare net.Conn
}

// open creates a Pod, waits until it has an address, and connects to its agent. If Kubernetes deletes the
// Pod meanwhile, or its machine refuses it or does not react, open creates another one. Progress receives
// what the Pod waits for, in words.
func (e *Engine) open(ctx context.Context, k kind, progress func(string)) (*session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.config.PodTimeout, fmt.Errorf("the Pod did not start within %v", e.config.PodTimeout))
	defer cancel()
	var before error
	for pause := shortestRetry; ; pause = min(2*pause, longestRetry) {
		s, err := e.openOnce(ctx, k, progress)
		if err != nil && ctx.Err() != nil && before != nil {
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), before)
		}
		if !errors.Is(err, errDeleted) && !errors.Is(err, errSilent) && !errors.Is(err, errRejected) {
			return s, err
		}
		before = err
		progress("another Pod is created: " + err.Error())
		if wait(ctx, pause) != nil {
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// openOnce is open for one Pod. Returns errDeleted, errSilent or errRejected if another Pod may start.
func (e *Engine) openOnce(ctx context.Context, k kind, progress func(string)) (_ *session, err error) {
	wanted := e.newPod(k)
	changes, end := e.view.watch(wanted.Name)
	defer end()
	e.expect(wanted.Name)
	created, err := e.create(ctx, wanted)
	if err != nil {
		// The request may still reach the API server: see sweep.
		e.forget(wanted.Name)
		return nil, causeOf(ctx, err)
	}
	defer func() {
		if err != nil {
			e.dispose(created.Name, string(created.UID), 0)
		}
	}()
	waits := ""
	reacts, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	silence := e.watchMachine(giveUp)
	pod, err := e.view.await(reacts, e.config.Namespace, created.Name, string(created.UID), changes, func(pod *corev1.Pod) (bool, error) {
		silence(pod)
		if now := waitsFor(pod); now != "" && now != waits {
			waits = now
			progress("the Pod " + pod.Name + " waits: " + now)
		}
		return hasAddress(pod)
	})
	if err != nil {
		err = causeOf(reacts, err)
		if waits != "" && ctx.Err() != nil {
			err = fmt.Errorf("%w: %s", err, waits)
		}
		return nil, err
	}
	return e.connect(ctx, k, pod, changes)
}

// watchMachine returns a function that is called with each state of a new Pod. If the machine of the Pod
// does not report it for Config.MachineTimeout, giveUp is called.
func (e *Engine) watchMachine(giveUp context.CancelCauseFunc) func(*corev1.Pod) {
	var timer *time.Timer
	return func(pod *corev1.Pod) {
		switch {
		case timer == nil && pod.Spec.NodeName != "" && pod.Status.StartTime == nil:
			timer = time.AfterFunc(e.config.MachineTimeout, func() {
				giveUp(fmt.Errorf("the Pod %s%s does not start: %w", pod.Name, machineOf(pod), errSilent))
			})
		case timer != nil && pod.Status.StartTime != nil:
			timer.Stop()
		}
	}
}

// causeOf returns the cause of ctx instead of an error, if ctx has ended.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// connect connects to the agent of a Pod, which may not listen yet.
func (e *Engine) connect(ctx context.Context, k kind, pod *corev1.Pod, changes <-chan struct{}) (*session, error) {
	s := &session{
		kind: k, name: pod.Name, uid: string(pod.UID), identity: e.identity,
		address:  net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(e.config.Port)),
		prepared: make(chan struct{}), leaving: make(chan struct{}), ended: make(chan struct{}), onLeave: e.pool.wake,
	}
	for {
		conn, err := s.dial(ctx, wire.Control, func(string) bool { return true })
		if err == nil {
			return e.greet(ctx, s, conn)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: connect to the agent at %s: %w", context.Cause(ctx), s.address, err)
		}
		if now := e.view.get(e.config.Namespace, s.name, s.uid); now == nil {
			return nil, errDeleted
		} else if failure := failureOf(now); failure != nil {
			return nil, failure
		}
		select {
		case <-time.After(redial):
		case <-changes:
		case <-ctx.Done():
		}
	}
}

// greet verifies that the agent is in the Pod of the session, and starts to receive.
func (e *Engine) greet(ctx context.Context, s *session, conn *tls.Conn) (*session, error) {
	s.conn, s.key = wire.NewConn(conn), agent.PeerKey(conn.ConnectionState())
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	kind, payload, err := s.conn.Receive()
	if err == nil && kind != wire.Hello {
		err = fmt.Errorf("the first frame is %q", byte(kind))
	}
	if err == nil {
		err = e.verify(ctx, s, payload)
	}
	if err != nil {
		_ = conn.Close()
		return nil, causeOf(ctx, fmt.Errorf("connect to the agent: %w", err))
	}
	go s.receive()
	go s.ping()
	return s, nil
}

// verify checks the token of an agent: it must be bound to the Pod of the session, and that Pod must
// still have the address that was dialed.
func (e *Engine) verify(ctx context.Context, s *session, hello []byte) error {
	greeting, err := wire.DecodeGreeting(hello)
	if err != nil {
		return err
	}
	uid, err := e.verifier.podUID(ctx, greeting.Token)
	if err != nil {
		return err
	}
	if uid != s.uid {
		return errors.New("its token is bound to another Pod")
	}
	pod := e.view.get(e.config.Namespace, s.name, s.uid)
	if pod == nil || net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(e.config.Port)) != s.address || pod.Labels[LabelEngine] != e.id {
		return errors.New("the Pod has another address or owner by now")
	}
	if e.config.Owner != nil && (len(pod.OwnerReferences) != 1 || pod.OwnerReferences[0].UID != e.config.Owner.UID) {
		return errors.New("the Pod has another owner")
	}
	return nil
}

// dial opens a connection to the agent with a protocol, if it accepts the agent's key.
func (s *session) dial(ctx context.Context, protocol string, accept func(key string) bool) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dialer := net.Dialer{KeepAlive: pingInterval, Control: limitUnacknowledged}
	conn, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	encrypted := tls.Client(conn, s.identity.ClientConfig(protocol, accept))
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return encrypted, nil
}

// call returns a connection for calls. The agent has the key of the session.
func (s *session) call(ctx context.Context) (net.Conn, error) {
	s.mu.Lock()
	spare := s.spare
	s.spare = nil
	s.mu.Unlock()
	if spare != nil {
		return spare, nil
	}
	return s.dial(ctx, wire.Call, func(key string) bool { return key == s.key })
}

// warm opens a connection for the first call, unless there is one.
func (s *session) warm(ctx context.Context) {
	s.mu.Lock()
	exists := s.spare != nil
	s.mu.Unlock()
	if exists {
		return
	}
	conn, err := s.call(ctx)
	if err != nil {
		return // The first call opens one.
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = conn
}

// ping shows the agent that this node exists, until the session ends.
func (s *session) ping() {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = s.conn.Send(wire.Ping, nil) // receive notices a broken connection.
		case <-s.ended:
			return
		}
	}
}

// receive handles frames until the connection ends.
func (s *session) receive() {
	defer close(s.ended)
	for {
		kind, payload, err := s.conn.Receive()
		if err == nil {
			err = s.handle(kind, payload)
		}
		if s.exit != nil {
			return
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

// errLauncherEnded means that the container of the function has ended without a report.
var errLauncherEnded = errors.New("the container of the function has ended")

func (s *session) handle(kind wire.Kind, payload []byte) error {
	switch kind {
	case wire.Lost:
		return errLauncherEnded
	case wire.Prepared:
		select {
		case <-s.prepared:
			return errors.New("the launcher is prepared twice")
		default:
			close(s.prepared)
			return nil
		}
	case wire.Leaving:
		select {
		case <-s.leaving:
			return errors.New("the Pod is leaving twice")
		default:
			close(s.leaving)
			s.onLeave()
			return nil
		}
	case wire.Exited:
		exit, err := wire.DecodeExit(payload)
		if err != nil {
			return err
		}
		s.exit = &exit
		return nil
	case wire.Ready, wire.Fetching, wire.Fetched, wire.Stdout, wire.Stderr, wire.Usage, wire.Part, wire.Digest:
		s.mu.Lock()
		sink := s.sink
		s.mu.Unlock()
		if sink == nil {
			return fmt.Errorf("frame %q before an order", byte(kind))
		}
		return sink(kind, payload)
	}
	return fmt.Errorf("unexpected frame %q", byte(kind))
}

// bind sets what receives the frames of the launcher.
func (s *session) bind(sink func(kind wire.Kind, payload []byte) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sink = sink
}

// alive reports whether the connection exists.
func (s *session) alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// stays reports whether the connection exists, and Kubernetes does not end the Pod.
func (s *session) stays() bool {
	select {
	case <-s.leaving:
		return false
	default:
		return s.alive()
	}
}

// close ends the session. The agent ends, and with it all processes of the Pod.
func (s *session) close() {
	_ = s.conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spare != nil {
		_ = s.spare.Close()
		s.spare = nil
	}
}
