//go:build linux && kubernetes

package chaos_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	engine "github.com/jeton-dev/jeton/internal/engine/kubernetes"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/kubernetes/chaos"
	"github.com/jeton-dev/jeton/test/kubernetes/kubetest"
)

const (
	// callers call with a valid token at the same time; maxScale is lower.
	callers  = 3
	maxScale = 2
	// changeTimeout bounds one change, whose node may be killed.
	changeTimeout = 20 * time.Second
	// between is the pause after a call or change.
	between = 5 * time.Millisecond
)

// code reports which Pod has served a call, and when.
const code = `const os = require('os');
exports.handle = async () => {
  const began = Date.now();
  await new Promise((done) => setTimeout(done, 10));
  return { body: JSON.stringify({ pod: os.hostname(), began, ended: Date.now() }) };
};
`

// An issued token is one with its value and ID.
type issued struct {
	*chaos.Token
	id, value string
}

// A load is the clients of a cluster.
type load struct {
	t         *testing.T
	cluster   *clustertest.Cluster
	namespace *kubetest.Namespace
	function  *function.Function
	history   chaos.History
	ledger    chaos.Ledger
	// answered counts the calls with a valid token that were answered.
	answered atomic.Int64
	clients  sync.WaitGroup
	stop     context.CancelFunc

	mu sync.Mutex
	// living are the nodes that clients use.
	living []endpoint
	// revoked are tokens whose deletion was answered.
	revoked []issued
}

type endpoint struct {
	gateway string
	api     *function.API
}

// use makes the clients use the nodes but one; nil for all nodes.
func (l *load) use(but *clustertest.Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.living = nil
	for _, n := range l.cluster.Nodes {
		if n != but {
			l.living = append(l.living, endpoint{n.GatewayURL, function.NewAPI(n.Client())})
		}
	}
}

func (l *load) any() endpoint {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.living[rand.IntN(len(l.living))]
}

func (l *load) anyRevoked() issued {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.revoked[rand.IntN(len(l.revoked))]
}

// start starts the clients.
func (l *load) start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	valid, expired, revoked := l.issue(ctx, nil), l.issue(ctx, new(time.Now().Add(time.Second))), l.issue(ctx, nil)
	l.revoke(ctx, revoked)
	await.True(l.t, "a token has expired", func() bool { return time.Now().After(expired.Expires) })
	repeat := func(step func()) {
		l.clients.Go(func() {
			for ctx.Err() == nil {
				step()
				pause(ctx)
			}
		})
	}
	for range callers {
		repeat(func() {
			if l.call(ctx, valid) == 200 {
				l.answered.Add(1)
			}
		})
	}
	repeat(func() { l.call(ctx, expired) })
	repeat(func() { l.call(ctx, l.anyRevoked()) })
	repeat(func() { l.change(ctx) })
	repeat(func() { l.recordPods() })
}

func pause(ctx context.Context) {
	select {
	case <-time.After(between):
	case <-ctx.Done():
	}
}

// issue creates a token. Its ID is empty if the creation was not answered.
func (l *load) issue(ctx context.Context, expires *time.Time) issued {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	created, err := l.any().api.CreateToken(&function.CreateTokenRequest{FunctionID: &l.function.ID, ExpiresAt: expires}, scw.WithContext(ctx))
	if err != nil {
		l.ledger.Set("", chaos.Unknown)
		return issued{}
	}
	l.ledger.Set(created.ID, chaos.Exists)
	token := issued{&chaos.Token{Created: time.Now()}, created.ID, created.Token}
	if expires != nil {
		token.Expires = *expires
	}
	return token
}

// revoke deletes a token, and reports whether that was answered.
func (l *load) revoke(ctx context.Context, token issued) bool {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	token.Revoking = time.Now()
	if _, err := l.any().api.DeleteToken(&function.DeleteTokenRequest{TokenID: token.id}, scw.WithContext(ctx)); err != nil {
		l.ledger.Set(token.id, chaos.Unknown)
		return false
	}
	token.Revoked = time.Now()
	l.ledger.Set(token.id, chaos.Deleted)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked = append(l.revoked, token)
	return true
}

// change creates a token, calls, revokes the token, and calls again. Every third token is kept.
func (l *load) change(ctx context.Context) {
	token := l.issue(ctx, nil)
	if token.id == "" {
		return
	}
	l.call(ctx, token)
	if rand.IntN(3) > 0 && l.revoke(ctx, token) {
		l.call(ctx, token)
	}
}

// call calls the function through any node, and returns the status.
func (l *load) call(ctx context.Context, token issued) int {
	c := chaos.Call{Token: token.Token, Sent: time.Now()}
	status, body, err := kubetest.Call(ctx, l.any().gateway, l.function, "/", token.value)
	if c.Answered = time.Now(); err == nil {
		c.Status = status
	}
	var served struct {
		Pod          string
		Began, Ended int64
	}
	if c.Status == 200 && json.Unmarshal([]byte(body), &served) == nil {
		c.Pod, c.Began, c.Ended = served.Pod, time.UnixMilli(served.Began), time.UnixMilli(served.Ended)
	}
	if ctx.Err() == nil {
		l.history.Add(c)
	}
	return c.Status
}

// recordPods records the nodes of the Pods that exist.
func (l *load) recordPods() {
	pods, err := l.namespace.List(engine.LabelManagedBy, "jeton")
	if err != nil {
		return // The API server does not run.
	}
	for _, pod := range pods {
		l.history.AddPod(pod.Name, pod.Labels[engine.LabelNode])
	}
}

// awaitAnswers waits until n more calls with a valid token were answered.
func (l *load) awaitAnswers(n int64) {
	l.t.Helper()
	want := l.answered.Load() + n
	await.True(l.t, "calls are answered", func() bool { return l.answered.Load() >= want })
}

// end stops the clients.
func (l *load) end() {
	l.stop()
	l.clients.Wait()
}
