package nodes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// The paths of requests to other nodes.
const (
	seriesPath   = "/console/series"
	activityPath = "/console/activity"
	statePath    = "/console/state"
	buildPath    = "/console/build"
	refusedPath  = "/console/refused"
)

const (
	// answerTimeout is how long another node may take to answer.
	answerTimeout = 2 * time.Second
	// maxAnswer is the maximum size of an answer in bytes. The log of a build has at most
	// about 1 MiB.
	maxAnswer = 8 << 20
)

// A question is the body of a request to another node. Each path uses some of the fields.
type question struct {
	FunctionID  string          `json:"function_id,omitempty"`
	FunctionIDs []string        `json:"function_ids,omitempty"`
	NamespaceID string          `json:"namespace_id,omitempty"`
	TokenID     string          `json:"token_id,omitempty"`
	Day         bool            `json:"day,omitempty"`
	Scope       functions.Scope `json:"scope"`
}

type buildAnswer struct {
	Text    string `json:"text"`
	Running bool   `json:"running"`
}

type refusedAnswer struct {
	Calls int64     `json:"calls"`
	Last  time.Time `json:"last"`
}

// An answer is that of one member.
type answer[T any] struct {
	member store.Member
	value  T
	err    error
}

// ask asks all other members at the same time.
func ask[T any](ctx context.Context, n *Nodes, path string, q question) []answer[T] {
	members := n.config.Members.Others()
	answers := make([]answer[T], len(members))
	var asking sync.WaitGroup
	for i, m := range members {
		asking.Go(func() {
			answers[i].member = m
			answers[i].value, answers[i].err = askOne[T](ctx, n, m, path, q)
		})
	}
	asking.Wait()
	return answers
}

// askAll returns the answers, and the names of the nodes that do not answer.
func askAll[T any](ctx context.Context, n *Nodes, path string, q question) (values []T, missing []string) {
	missing = []string{}
	for _, a := range ask[T](ctx, n, path, q) {
		if a.err != nil {
			missing = append(missing, a.member.Node)
			continue
		}
		values = append(values, a.value)
	}
	return values, missing
}

func askOne[T any](ctx context.Context, n *Nodes, m store.Member, path string, q question) (value T, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	body, err := json.Marshal(q)
	if err != nil {
		return value, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node"+path, bytes.NewReader(body))
	if err != nil {
		return value, err
	}
	response, err := n.config.Do(m, r)
	if err != nil {
		return value, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return value, fmt.Errorf("the node answers %s", response.Status)
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return value, err
	}
	return value, json.Unmarshal(content, &value)
}

// Routes calls handle with the routes for other nodes. Only members reach them.
func (n *Nodes) Routes(handle func(pattern string, h http.Handler)) {
	source := n.config.Source
	for path, run := range map[string]func(context.Context, question) any{
		seriesPath: func(_ context.Context, q question) any {
			if q.FunctionID != "" {
				return source.Of(q.FunctionID, q.Day)
			}
			return source.Sum(q.Day, q.Scope, q.NamespaceID)
		},
		activityPath: func(_ context.Context, q question) any { return source.Activity(q.FunctionIDs) },
		statePath:    func(ctx context.Context, _ question) any { return source.State(ctx) },
		buildPath: func(_ context.Context, q question) any {
			text, running := source.RunningBuild(q.FunctionID)
			return buildAnswer{text, running}
		},
		refusedPath: func(_ context.Context, q question) any {
			calls, last := source.Refused(q.TokenID)
			return refusedAnswer{calls, last}
		},
	} {
		handle("POST "+path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var q question
			if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
				http.Error(w, "the question is not JSON", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			// An error means that the other node disconnected.
			_ = json.NewEncoder(w).Encode(run(r.Context(), q))
		}))
	}
}
