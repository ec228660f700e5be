package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

const (
	manyTokens = 1_000_000
	batch      = 20_000
	// revoked is how many tokens are revoked, one after another, on each side.
	revoked = 9
	// entrySize is that of a token's entry in the gateway's table, in bytes: a
	// digest of 32 and a grant of 48.
	entrySize = 80
)

// measureTokens starts a server without tokens and with a million of them.
func measureTokens(ctx context.Context, dir string) ([]measure.Result, error) {
	data := filepath.Join(dir, "data")
	empty, err := startJeton(ctx, data)
	if err != nil {
		return nil, err
	}
	namespace, err := empty.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "many"}, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if _, err := empty.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: namespace.ID}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	few, err := empty.createTokens(ctx, namespace.ID)
	if err != nil {
		return nil, err
	}
	revokedAlone, err := empty.revoke(ctx, few)
	if err != nil {
		return nil, err
	}
	before, err := empty.stop()
	if err != nil {
		return nil, err
	}
	ids, err := seed(ctx, filepath.Join(data, "jeton.db"), namespace)
	if err != nil {
		return nil, err
	}
	full, err := startJeton(ctx, data)
	if err != nil {
		return nil, err
	}
	revokedAmongMany, err := full.revoke(ctx, ids)
	if err != nil {
		return nil, err
	}
	after, err := full.stop()
	if err != nil {
		return nil, err
	}
	single := func(id, unit, goal, note string, ours, reference float64) measure.Result {
		return measure.Compare(id, unit, goal, note, []float64{ours}, []float64{reference})
	}
	return []measure.Result{
		single("tokens-memory", "bytes", "< 200", "memory for each of a million tokens; the reference is an entry's own size", float64((after-before)/manyTokens), entrySize),
		single("tokens-start", "s", "", "from start to ready with a million tokens, beside none", full.took.Seconds(), empty.took.Seconds()),
		measure.Compare("tokens-revoke", "ms", "", "one revocation with a million tokens, beside one with nine", revokedAmongMany, revokedAlone),
	}, nil
}

func (r *running) createTokens(ctx context.Context, namespaceID string) (ids []string, err error) {
	for range revoked {
		token, err := r.api.CreateToken(&function.CreateTokenRequest{NamespaceID: &namespaceID}, scw.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		ids = append(ids, token.ID)
	}
	return ids, nil
}

// revoke deletes tokens, and returns the milliseconds that each took.
func (r *running) revoke(ctx context.Context, ids []string) (took []float64, err error) {
	for _, id := range ids {
		began := time.Now()
		if _, err := r.api.DeleteToken(&function.DeleteTokenRequest{TokenID: id}, scw.WithContext(ctx)); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	return took, nil
}

// seed puts tokens into the store of a server that does not run, and returns
// the IDs of a few.
func seed(ctx context.Context, path string, n *function.Namespace) (ids []string, err error) {
	store, err := sqlite.Open(ctx, path, time.Now)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	for first := 0; first < manyTokens; first += batch {
		err := store.Update(ctx, func(tx functions.Tx) error {
			for i := first; i < first+batch; i++ {
				id := uuid.NewString()
				if len(ids) < revoked {
					ids = append(ids, id)
				}
				err := tx.Put(functions.Token{
					ID: id, Region: "fr-par", ProjectID: n.ProjectID, NamespaceID: n.ID, Status: functions.Ready,
					CreatedAt: time.Unix(1_700_000_000, int64(i)), Digest: functions.DigestOf(strconv.Itoa(i)),
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// running is a real server.
type running struct {
	command *exec.Cmd
	api     *function.API
	took    time.Duration
}

func startJeton(ctx context.Context, data string) (*running, error) {
	program, err := jeton()
	if err != nil {
		return nil, err
	}
	r := &running{command: exec.CommandContext(ctx, program, "serve", "--data-dir", data, "--log-level=error",
		"--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen=", "--min-timeout=1s")}
	r.command.Stderr = os.Stderr
	began := time.Now()
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	var endpoints struct{ API string }
	for {
		content, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		if err == nil && json.Unmarshal(content, &endpoints) == nil {
			break
		}
		if time.Since(began) > 2*time.Minute {
			return nil, fmt.Errorf("jeton does not start: %w", err)
		}
		<-time.After(5 * time.Millisecond)
	}
	config, err := scw.LoadConfigFromPath(data + ".credentials.yaml")
	if err != nil {
		return nil, err
	}
	client, err := scw.NewClient(scw.WithProfile(&config.Profile), scw.WithAPIURL(endpoints.API))
	if err != nil {
		return nil, err
	}
	r.api = function.NewAPI(client)
	// The first answer comes when everything is loaded.
	if _, err := r.api.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	r.took = time.Since(began)
	return r, nil
}

// stop returns what the server had in memory at its end.
func (r *running) stop() (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", r.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	if err != nil {
		return 0, err
	}
	if err := r.command.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	return pages * int64(os.Getpagesize()), r.command.Wait()
}
