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

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

const (
	manyTokens = 1_000_000
	batch      = 20_000
)

// measureTokens starts a server without tokens and with a million of them.
func measureTokens(ctx context.Context, dir string) error {
	data := filepath.Join(dir, "data")
	empty, err := startJeton(ctx, data)
	if err != nil {
		return err
	}
	namespace, err := empty.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "many"}, scw.WithContext(ctx))
	if err != nil {
		return err
	}
	if _, err := empty.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: namespace.ID}, scw.WithContext(ctx)); err != nil {
		return err
	}
	before, err := empty.stop()
	if err != nil {
		return err
	}
	id, err := seed(ctx, filepath.Join(data, "jeton.db"), namespace)
	if err != nil {
		return err
	}
	full, err := startJeton(ctx, data)
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := full.api.DeleteToken(&function.DeleteTokenRequest{TokenID: id}, scw.WithContext(ctx)); err != nil {
		return err
	}
	revoked := time.Since(began)
	after, err := full.stop()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "\n%d tokens: %d bytes of memory each, %.1f s from start to ready (%.2f s without), %.1f ms to revoke one\n",
		manyTokens, (after-before)/manyTokens, full.took.Seconds(), empty.took.Seconds(), float64(revoked.Microseconds())/1000)
	return nil
}

// seed puts tokens into the store of a server that does not run.
func seed(ctx context.Context, path string, n *function.Namespace) (string, error) {
	store, err := sqlite.Open(ctx, path, time.Now)
	if err != nil {
		return "", err
	}
	defer store.Close()
	var id string
	for first := 0; first < manyTokens; first += batch {
		err := store.Update(ctx, func(tx functions.Tx) error {
			for i := first; i < first+batch; i++ {
				id = uuid.NewString()
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
			return "", err
		}
	}
	return id, nil
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
