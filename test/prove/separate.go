package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/nameserver"
)

// projectsAreSeparate tries to receive the messages, hostnames, archives and logs
// of one project with an API key of another.
func projectsAreSeparate(ctx context.Context, s *stage) (string, error) {
	p, err := newPlot(ctx, s)
	if err != nil {
		return "", err
	}
	defer p.close()
	thief, err := p.key(ctx, admin.CreateKey{Project: "thief"})
	if err != nil {
		return "", err
	}
	stolen, attempts, err := p.steal(ctx, thief, p.foreign, p.thiefID)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%d attempts at another project's messages, hostnames, archives and logs, %d had success", attempts, len(stolen))
	if len(stolen) > 0 {
		return line + ": " + strings.Join(stolen, "; "), errBroken
	}
	return line, nil
}

// sharedProjectsAreCaught makes the same attempts with a key that opens both
// projects: each must count as a success, or the proof would notice nothing.
func sharedProjectsAreCaught(ctx context.Context, s *stage) (string, error) {
	p, err := newPlot(ctx, s)
	if err != nil {
		return "", err
	}
	defer p.close()
	owner, err := p.key(ctx, admin.CreateKey{Project: "victim", Projects: []string{"thief"}})
	if err != nil {
		return "", err
	}
	// The owner of the hostnames assigns them to the function that claims them.
	p.assign(p.foreign)
	stolen, attempts, err := p.steal(ctx, owner, p.foreign, p.victimID)
	line := fmt.Sprintf("test of the test: %d attempts with a key of both projects, %d noticed", attempts, len(stolen))
	if err == nil && len(stolen) < attempts {
		return line, errBroken
	}
	return line, err
}

// plot is a server with the projects of a victim and of a thief.
type plot struct {
	*jeton
	names *nameserver.Server
	queue *queueService
	admin *admin.Client
	// victim is the victim's API, own its function, and foreign that of the thief.
	victim       caller
	own, foreign *function.Function
	// victimID and thiefID are the projects.
	victimID, thiefID string
	closers           []func()
}

func (p *plot) close() {
	for _, c := range p.closers {
		c()
	}
}

// hostnames are those of the victim.
var hostnames = []string{"shop.example.com", "www.example.com"}

func newPlot(ctx context.Context, s *stage) (*plot, error) {
	p := &plot{queue: &queueService{asked: map[string]int{}}}
	if err := p.open(ctx, s); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *plot) open(ctx context.Context, s *stage) (err error) {
	if p.names, err = nameserver.New(); err != nil {
		return err
	}
	service := httptest.NewServer(p.queue)
	p.closers = append(p.closers, func() { _ = p.names.Close() }, service.Close)
	if p.jeton, err = s.newServer(ctx); err != nil {
		return err
	}
	p.closers = append(p.closers, p.stop)
	p.admin = admin.NewClient(filepath.Join(p.data, "admin.sock"))
	for name, id := range map[string]*string{"victim": &p.victimID, "thief": &p.thiefID} {
		project, err := p.admin.CreateProject(ctx, name)
		if err != nil {
			return err
		}
		*id = project.ID
	}
	// The queues and subjects are the victim's. Nothing listens for NATS: that a
	// trigger is ready shows that it would be served.
	brokers := filepath.Join(s.dir, fmt.Sprintf("brokers%d.yaml", s.servers))
	text := "sqs:\n- projects: [" + p.victimID + "]\n  endpoint: " + service.URL + "\n  access_key: AK\n  secret_key: SK\n" +
		"nats:\n- projects: [" + p.victimID + "]\n  url: nats://127.0.0.1:1\n"
	if err := os.WriteFile(brokers, []byte(text), 0o600); err != nil {
		return err
	}
	p.stop()
	p.command = append(p.command, "--dns-resolver="+p.names.Address(), "--brokers="+brokers)
	if err := p.start(ctx); err != nil {
		return err
	}
	if p.victim, err = p.key(ctx, admin.CreateKey{Project: "victim"}); err != nil {
		return err
	}
	thief, err := p.key(ctx, admin.CreateKey{Project: "thief"})
	if err != nil {
		return err
	}
	if p.own, err = p.functionOf(ctx, p.victim, "victim"); err != nil {
		return err
	}
	p.foreign, err = p.functionOf(ctx, thief, "thief")
	// Both functions lead to the same address.
	p.assign(p.own)
	return err
}

// assign makes the victim's hostnames aliases of a function.
func (p *plot) assign(f *function.Function) {
	for _, hostname := range hostnames {
		p.names.Alias(hostname, f.DomainName)
	}
}

// key is a client with a new API key.
func (p *plot) key(ctx context.Context, create admin.CreateKey) (caller, error) {
	create.Permissions = []string{iam.FullAccess}
	key, err := p.admin.CreateKey(ctx, create)
	if err != nil {
		return caller{}, err
	}
	p.stage.secrets = append(p.stage.secrets, key.SecretKey)
	client, err := scw.NewClient(scw.WithAPIURL(p.api), scw.WithAuth(key.AccessKey, key.SecretKey), scw.WithDefaultRegion(scw.RegionFrPar),
		scw.WithDefaultProjectID(key.ProjectID), scw.WithDefaultOrganizationID(key.OrganizationID))
	return caller{function.NewAPI(client), key.SecretKey}, err
}

// caller is a client with an API key.
type caller struct {
	*function.API
	secretKey string
}

// functionOf deploys a function that prints, with a client's key.
func (p *plot) functionOf(ctx context.Context, api caller, name string) (*function.Function, error) {
	of := *p.jeton
	of.API = api.API
	namespaceID, err := of.namespace(ctx, name)
	if err != nil {
		return nil, err
	}
	return of.deploy(ctx, namespaceID, "f", fast, 1)
}

// trigger makes a trigger for the thief's function, and waits until it is settled.
// One that has no broker is refused.
func (p *plot) trigger(ctx context.Context, api caller, request *function.CreateTriggerRequest) error {
	made, err := api.CreateTrigger(request, scw.WithContext(ctx))
	if err != nil {
		return err
	}
	made, err = api.WaitForTrigger(&function.WaitForTriggerRequest{TriggerID: made.ID, RetryInterval: &poll}, scw.WithContext(ctx))
	if err == nil && made.Status != function.TriggerStatusReady {
		err = errRefused
	}
	return err
}

// steal makes every attempt with a key, for the thief's function, and returns
// those that had success. The project is the one that the thief calls its own.
func (p *plot) steal(ctx context.Context, api caller, foreign *function.Function, project string) (stolen []string, attempts int, err error) {
	with := scw.WithContext(ctx)
	for name, attempt := range map[string]func() error{
		"the messages of a queue": func() error {
			err := p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: foreign.ID, Name: "t", ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{
				Queue: "orders", MnqProjectID: p.victimID, MnqRegion: "fr-par",
			}})
			if err != nil {
				return err
			}
			return await.Until(ctx, "the queue has messages", func() bool { return p.queue.count("orders") > 0 })
		},
		"the messages of a queue of that name": func() error {
			return p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: foreign.ID, Name: "o", ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{
				Queue: "orders", MnqProjectID: project, MnqRegion: "fr-par",
			}})
		},
		"the messages of all subjects": func() error {
			return p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: foreign.ID, Name: "a", ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{
				Subject: ">", MnqProjectID: project, MnqRegion: "fr-par",
			}})
		},
		"the messages of a subject": func() error {
			return p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: foreign.ID, Name: "n", ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{
				Subject: "orders", MnqProjectID: p.victimID, MnqRegion: "fr-par",
			}})
		},
		"a hostname": func() error {
			_, err := api.CreateDomain(&function.CreateDomainRequest{FunctionID: foreign.ID, Hostname: hostnames[0]}, with)
			return err
		},
		"another hostname": func() error {
			_, err := api.CreateDomain(&function.CreateDomainRequest{FunctionID: foreign.ID, Hostname: hostnames[1]}, with)
			return err
		},
		"the archive": func() error {
			signed, err := api.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: p.own.ID}, with)
			if err != nil {
				return err
			}
			return get(ctx, signed.URL)
		},
		"the place of the archive": func() error {
			_, err := api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: p.own.ID, ContentLength: 9}, with)
			return err
		},
		"the archive under an own signature": func() error {
			signed, err := api.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: foreign.ID}, with)
			if err != nil {
				return err
			}
			if own, err := api.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: p.own.ID}, with); err == nil {
				return get(ctx, own.URL)
			}
			return get(ctx, strings.ReplaceAll(signed.URL, foreign.ID, p.own.ID))
		},
		"the logs": func() error { return p.logs(ctx, api, p.own.ID) },
		"the function": func() error {
			_, err := api.GetFunction(&function.GetFunctionRequest{FunctionID: p.own.ID}, with)
			return err
		},
	} {
		attempts++
		err := attempt()
		var refused *scw.ResponseError
		var denied *scw.PermissionsDeniedError
		var invalid *scw.InvalidArgumentsError
		switch {
		case err == nil:
			stolen = append(stolen, name)
		case errors.As(err, &refused), errors.As(err, &denied), errors.As(err, &invalid), errors.Is(err, errRefused):
		default:
			return stolen, attempts, fmt.Errorf("%s: %w", name, err)
		}
	}
	return stolen, attempts, nil
}

// errRefused is an answer that gives nothing away.
var errRefused = errors.New("refused")

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return send(request)
}

func send(request *http.Request) error {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", errRefused, response.Status)
	}
	return nil
}

// logs asks for what a function printed, with the key of a client.
func (p *plot) logs(ctx context.Context, api caller, id string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.api+"/functions/v1beta1/regions/fr-par/functions/"+id+"/logs", nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Auth-Token", api.secretKey)
	return send(request)
}

// queueService speaks enough of SQS to see who asks for the messages of a queue.
type queueService struct {
	mu    sync.Mutex
	asked map[string]int
}

func (q *queueService) count(queue string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.asked[queue]
}

// ServeHTTP implements http.Handler.
func (q *queueService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch _, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); action {
	case "GetQueueUrl":
		_, _ = io.WriteString(w, `{"QueueUrl":"http://`+r.Host+`/orders"}`)
	case "ReceiveMessage":
		if strings.Contains(string(body), "/orders") {
			q.mu.Lock()
			q.asked["orders"]++
			q.mu.Unlock()
		}
		_, _ = io.WriteString(w, "{}")
	default:
		_, _ = io.WriteString(w, "{}")
	}
}
