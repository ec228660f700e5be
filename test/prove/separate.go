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

// projectsAreSeparate tries to get the messages, hostnames, archives and logs of one
// project with an API key of another.
func projectsAreSeparate(ctx context.Context, h *harness) (string, error) {
	p, err := newTwoProjects(ctx, h)
	if err != nil {
		return "", err
	}
	defer p.close()
	attacker, err := p.key(ctx, admin.CreateKey{Project: "attacker"})
	if err != nil {
		return "", err
	}
	succeeded, attempts, err := p.attempt(ctx, attacker, p.attackerID)
	if err != nil {
		return "", err
	}
	return verdict(fmt.Sprintf("%d attempts to get another project's messages, hostnames, archives and logs, %d succeeded", attempts, len(succeeded)), succeeded)
}

// sharedProjectsAreDetected makes the same attempts with a key for both projects: all of
// them must succeed, or the proof would be worthless.
func sharedProjectsAreDetected(ctx context.Context, h *harness) (string, error) {
	p, err := newTwoProjects(ctx, h)
	if err != nil {
		return "", err
	}
	defer p.close()
	both, err := p.key(ctx, admin.CreateKey{Project: "victim", Projects: []string{"attacker"}})
	if err != nil {
		return "", err
	}
	// The owner of the hostnames points them to the attacker's function.
	p.pointHostnames(p.attackerFunction)
	succeeded, attempts, err := p.attempt(ctx, both, p.victimID)
	line := fmt.Sprintf("self-test: %d attempts with a key for both projects, %d succeeded, all must", attempts, len(succeeded))
	if err == nil && len(succeeded) < attempts {
		return line, errBroken
	}
	return line, err
}

// A twoProjects is a server with the projects of a victim and of an attacker.
type twoProjects struct {
	*jeton
	names                            *nameserver.Server
	queue                            *queueService
	admin                            *admin.Client
	victimFunction, attackerFunction *function.Function
	// victimID and attackerID are the project IDs.
	victimID, attackerID string
	closers              []func()
}

func (p *twoProjects) close() {
	for _, c := range p.closers {
		c()
	}
}

// hostnames belong to the victim.
var hostnames = []string{"shop.example.com", "www.example.com"}

func newTwoProjects(ctx context.Context, h *harness) (*twoProjects, error) {
	p := &twoProjects{queue: &queueService{requests: map[string]int{}}}
	if err := p.open(ctx, h); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *twoProjects) open(ctx context.Context, h *harness) (err error) {
	if p.names, err = nameserver.New(); err != nil {
		return err
	}
	service := httptest.NewServer(p.queue)
	p.closers = append(p.closers, func() { _ = p.names.Close() }, service.Close)
	if p.jeton, err = h.newServer(ctx); err != nil {
		return err
	}
	p.closers = append(p.closers, p.stop)
	p.admin = admin.NewClient(filepath.Join(p.data, "admin.sock"))
	for name, id := range map[string]*string{"victim": &p.victimID, "attacker": &p.attackerID} {
		project, err := p.admin.CreateProject(ctx, name)
		if err != nil {
			return err
		}
		*id = project.ID
	}
	// The queues and subjects belong to the victim. There is no NATS server: a trigger in
	// status ready shows that its messages would be delivered.
	brokers := filepath.Join(h.dir, fmt.Sprintf("brokers%d.yaml", h.servers))
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
	for project, f := range map[string]**function.Function{"victim": &p.victimFunction, "attacker": &p.attackerFunction} {
		key, err := p.key(ctx, admin.CreateKey{Project: project})
		if err != nil {
			return err
		}
		if *f, err = p.deployFor(ctx, key, project); err != nil {
			return err
		}
	}
	p.pointHostnames(p.victimFunction)
	return nil
}

// pointHostnames makes the victim's hostnames aliases of a function's hostname.
func (p *twoProjects) pointHostnames(f *function.Function) {
	for _, hostname := range hostnames {
		p.names.Alias(hostname, f.DomainName)
	}
}

// key returns a client with a new API key.
func (p *twoProjects) key(ctx context.Context, create admin.CreateKey) (caller, error) {
	create.Permissions = []string{iam.FullAccess}
	key, err := p.admin.CreateKey(ctx, create)
	if err != nil {
		return caller{}, err
	}
	p.harness.secrets = append(p.harness.secrets, key.SecretKey)
	client, err := scw.NewClient(scw.WithAPIURL(p.api), scw.WithAuth(key.AccessKey, key.SecretKey), scw.WithDefaultRegion(scw.RegionFrPar),
		scw.WithDefaultProjectID(key.ProjectID), scw.WithDefaultOrganizationID(key.OrganizationID))
	return caller{function.NewAPI(client), key.SecretKey}, err
}

// A caller is a client with an API key.
type caller struct {
	*function.API
	secretKey string
}

// deployFor deploys a function in a new namespace with a client's key.
func (p *twoProjects) deployFor(ctx context.Context, api caller, namespace string) (*function.Function, error) {
	v := *p.jeton
	v.API = api.API
	namespaceID, err := v.namespace(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return v.deploy(ctx, namespaceID, "f", fast, 1)
}

// trigger creates a trigger, and waits until it is ready. It returns errRefused for
// another status, which a trigger without a broker has.
func (p *twoProjects) trigger(ctx context.Context, api caller, request *function.CreateTriggerRequest) error {
	created, err := api.CreateTrigger(request, scw.WithContext(ctx))
	if err != nil {
		return err
	}
	created, err = api.WaitForTrigger(&function.WaitForTriggerRequest{TriggerID: created.ID, RetryInterval: &poll}, scw.WithContext(ctx))
	if err == nil && created.Status != function.TriggerStatusReady {
		err = errRefused
	}
	return err
}

// attempt tries everything with a key, for the attacker's function, and returns the
// attempts that succeeded. project is the one that the triggers name.
func (p *twoProjects) attempt(ctx context.Context, api caller, project string) (succeeded []string, attempts int, err error) {
	attacker, victim := p.attackerFunction, p.victimFunction
	with := scw.WithContext(ctx)
	for name, attempt := range map[string]func() error{
		"the messages of a queue": func() error {
			err := p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: attacker.ID, Name: "t", ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{
				Queue: "orders", MnqProjectID: p.victimID, MnqRegion: "fr-par",
			}})
			if err != nil {
				return err
			}
			return await.Until(ctx, "the queue has messages", func() bool { return p.queue.count("orders") > 0 })
		},
		"the messages of a queue with the same name": func() error {
			return p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: attacker.ID, Name: "o", ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{
				Queue: "orders", MnqProjectID: project, MnqRegion: "fr-par",
			}})
		},
		"the messages of all subjects": func() error {
			return p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: attacker.ID, Name: "a", ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{
				Subject: ">", MnqProjectID: project, MnqRegion: "fr-par",
			}})
		},
		"the messages of a subject": func() error {
			return p.trigger(ctx, api, &function.CreateTriggerRequest{FunctionID: attacker.ID, Name: "n", ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{
				Subject: "orders", MnqProjectID: p.victimID, MnqRegion: "fr-par",
			}})
		},
		"a hostname": func() error {
			_, err := api.CreateDomain(&function.CreateDomainRequest{FunctionID: attacker.ID, Hostname: hostnames[0]}, with)
			return err
		},
		"another hostname": func() error {
			_, err := api.CreateDomain(&function.CreateDomainRequest{FunctionID: attacker.ID, Hostname: hostnames[1]}, with)
			return err
		},
		"the archive": func() error {
			signed, err := api.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: victim.ID}, with)
			if err != nil {
				return err
			}
			return get(ctx, signed.URL)
		},
		"an upload URL for the archive": func() error {
			_, err := api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: victim.ID, ContentLength: 9}, with)
			return err
		},
		"the archive with a signature for another one": func() error {
			signed, err := api.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: attacker.ID}, with)
			if err != nil {
				return err
			}
			if victimURL, err := api.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: victim.ID}, with); err == nil {
				return get(ctx, victimURL.URL)
			}
			return get(ctx, strings.ReplaceAll(signed.URL, attacker.ID, victim.ID))
		},
		"the logs": func() error { return p.logs(ctx, api, victim.ID) },
		"the function": func() error {
			_, err := api.GetFunction(&function.GetFunctionRequest{FunctionID: victim.ID}, with)
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
			succeeded = append(succeeded, name)
		case errors.As(err, &refused), errors.As(err, &denied), errors.As(err, &invalid), errors.Is(err, errRefused):
		default:
			return succeeded, attempts, fmt.Errorf("%s: %w", name, err)
		}
	}
	return succeeded, attempts, nil
}

// errRefused means that the server refused an attempt.
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

// logs requests the logs of a function with a client's key.
func (p *twoProjects) logs(ctx context.Context, api caller, id string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.api+"/functions/v1beta1/regions/fr-par/functions/"+id+"/logs", nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Auth-Token", api.secretKey)
	return send(request)
}

// A queueService implements as much of SQS as needed to count the requests for messages
// of a queue.
type queueService struct {
	mu       sync.Mutex
	requests map[string]int
}

func (q *queueService) count(queue string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.requests[queue]
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
			q.requests["orders"]++
			q.mu.Unlock()
		}
		_, _ = io.WriteString(w, "{}")
	default:
		_, _ = io.WriteString(w, "{}")
	}
}
