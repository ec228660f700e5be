package leave

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	account "github.com/scaleway/scaleway-sdk-go/api/account/v3"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
	"golang.org/x/sync/errgroup"
)

// SourceConfig describes where to read. Profile is required.
type SourceConfig struct {
	// Profile has the API key and, for a server other than Scaleway's, the URL of the API.
	Profile *scw.Profile
	// Regions are the regions to read; nil means all regions with functions.
	Regions []string
	// Namespaces are IDs or names of the namespaces to read; nil means all that the API
	// key can access.
	Namespaces []string
	// Parallel is the number of concurrent requests; zero means 8.
	Parallel int
	// Pause is the time before the first repetition of a request; zero means half a second.
	Pause time.Duration
	// Transport sends the requests; nil means http.DefaultTransport.
	Transport http.RoundTripper
}

// Source reads an account. It is safe for concurrent use.
type Source struct {
	config   SourceConfig
	api      *function.API
	projects *account.ProjectAPI
	http     *http.Client
	// Issuer is the host of the API.
	Issuer string
	URL    string
}

const (
	scalewayURL = "https://api.scaleway.com"
	parallel    = 8
	pageSize    = 100
)

// Open returns a source. It sends no requests. Returns an error if the profile has no valid
// API key or URL.
func Open(c SourceConfig) (*Source, error) {
	if c.Parallel == 0 {
		c.Parallel = parallel
	}
	if c.Pause == 0 {
		c.Pause = firstPause
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Profile.SecretKey == nil || *c.Profile.SecretKey == "" {
		return nil, errors.New("open the source: no API key: set SCW_ACCESS_KEY and SCW_SECRET_KEY, or --profile")
	}
	client := &http.Client{Transport: retries{c.Transport, c.Pause}}
	api, err := scw.NewClient(scw.WithProfile(c.Profile), scw.WithHTTPClient(client), scw.WithUserAgent("jeton"))
	if err != nil {
		return nil, fmt.Errorf("open the source: %w: set SCW_ACCESS_KEY and SCW_SECRET_KEY, or --profile", err)
	}
	address := scalewayURL
	if c.Profile.APIURL != nil && *c.Profile.APIURL != "" {
		address = *c.Profile.APIURL
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return nil, fmt.Errorf("open the source: %q is not the URL of an API", address)
	}
	return &Source{
		config: c, api: function.NewAPI(api), projects: account.NewProjectAPI(api), http: client, Issuer: parsed.Host, URL: address,
	}, nil
}

// An Account is what a source contains.
type Account struct {
	// Namespaces are in the order of regions and creation.
	Namespaces []*Namespace
	// Projects are the names of the projects of the namespaces, by ID. A name that the API
	// key cannot read is missing.
	Projects map[string]string
}

// A Namespace is a namespace with everything in it.
type Namespace struct {
	*function.Namespace

	Functions []*Function
	// Tokens and Triggers are those of the namespace and of its functions.
	Tokens   []*function.Token
	Triggers []*function.Trigger
	// Err is why the namespace could not be read completely; nil if it was.
	Err error
}

// A Function is a function with what belongs to it.
type Function struct {
	*function.Function

	Crons   []*function.Cron
	Domains []*function.Domain
	tokens  []*function.Token
}

// Read reads the account. progress is called with the number of namespaces that were read
// and that exist, and may be called concurrently; nil for none. A namespace that cannot be
// read has an error, and does not affect the others.
func (s *Source) Read(ctx context.Context, progress func(done, total int)) (*Account, error) {
	a := &Account{Projects: map[string]string{}}
	regions := s.config.Regions
	if len(regions) == 0 {
		for _, region := range s.api.Regions() {
			regions = append(regions, string(region))
		}
	}
	for _, region := range regions {
		found, err := s.namespaces(ctx, scw.Region(region))
		if err != nil {
			return nil, fmt.Errorf("list namespaces in %s: %w", region, err)
		}
		a.Namespaces = append(a.Namespaces, found...)
	}
	if err := s.checkSelection(a); err != nil {
		return nil, err
	}
	for _, n := range a.Namespaces {
		if _, known := a.Projects[n.ProjectID]; known {
			continue
		}
		a.Projects[n.ProjectID] = ""
		if p, err := s.projects.GetProject(&account.ProjectAPIGetProjectRequest{ProjectID: n.ProjectID}, scw.WithContext(ctx)); err == nil {
			a.Projects[n.ProjectID] = p.Name
		}
	}
	return a, s.fill(ctx, a.Namespaces, progress)
}

// checkSelection returns an error for a selected namespace that does not exist.
func (s *Source) checkSelection(a *Account) error {
	for _, wanted := range s.config.Namespaces {
		if !slices.ContainsFunc(a.Namespaces, func(n *Namespace) bool { return n.ID == wanted || n.Name == wanted }) {
			return fmt.Errorf("find namespace %q: the API key can access no such namespace", wanted)
		}
	}
	return nil
}

func (s *Source) namespaces(ctx context.Context, region scw.Region) ([]*Namespace, error) {
	response, err := s.api.ListNamespaces(&function.ListNamespacesRequest{Region: region, PageSize: new(uint32(pageSize))}, scw.WithContext(ctx), scw.WithAllPages())
	if err != nil {
		return nil, err
	}
	var found []*Namespace
	for _, n := range response.Namespaces {
		selected := len(s.config.Namespaces) == 0 || slices.Contains(s.config.Namespaces, n.ID) || slices.Contains(s.config.Namespaces, n.Name)
		if selected && n.Status != function.NamespaceStatusDeleting {
			found = append(found, &Namespace{Namespace: n})
		}
	}
	return found, complete(len(response.Namespaces), response.TotalCount)
}

// complete returns an error if a list has fewer objects than its total, for example because
// an object was created while the pages were read.
func complete(count int, total uint32) error {
	if count < int(total) {
		return fmt.Errorf("the list has %d of %d objects: run the command again", count, total)
	}
	return nil
}

// fill reads everything in the namespaces, with a bounded number of concurrent requests.
func (s *Source) fill(ctx context.Context, namespaces []*Namespace, progress func(done, total int)) error {
	var group errgroup.Group
	group.SetLimit(s.config.Parallel)
	var done atomic.Int64
	for _, n := range namespaces {
		group.Go(func() error {
			n.Err = s.fillNamespace(ctx, n)
			read := done.Add(1)
			if progress != nil {
				progress(int(read), len(namespaces))
			}
			return nil
		})
	}
	return errors.Join(group.Wait(), ctx.Err())
}

func (s *Source) fillNamespace(ctx context.Context, n *Namespace) error {
	list := &function.ListFunctionsRequest{Region: n.Region, NamespaceID: n.ID, PageSize: new(uint32(pageSize))}
	functions, err := s.api.ListFunctions(list, scw.WithContext(ctx), scw.WithAllPages())
	if err == nil {
		err = complete(len(functions.Functions), functions.TotalCount)
	}
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	for _, f := range functions.Functions {
		if f.Status == function.FunctionStatusDeleting {
			continue
		}
		filled := &Function{Function: f}
		if err := s.fillFunction(ctx, filled); err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
		n.Functions = append(n.Functions, filled)
		n.Tokens = append(n.Tokens, filled.tokens...)
	}
	own, err := s.tokens(ctx, &function.ListTokensRequest{Region: n.Region, NamespaceID: &n.ID})
	if err != nil {
		return err
	}
	n.Tokens = append(own, n.Tokens...)
	triggers, err := s.api.ListTriggers(&function.ListTriggersRequest{Region: n.Region, NamespaceID: &n.ID, PageSize: new(uint32(pageSize))}, scw.WithContext(ctx), scw.WithAllPages())
	if err == nil {
		err = complete(len(triggers.Triggers), triggers.TotalCount)
	}
	if err != nil {
		return fmt.Errorf("list triggers: %w", err)
	}
	n.Triggers = triggers.Triggers
	return nil
}

func (s *Source) fillFunction(ctx context.Context, f *Function) error {
	size := new(uint32(pageSize))
	crons, err := s.api.ListCrons(&function.ListCronsRequest{Region: f.Region, FunctionID: f.ID, PageSize: size}, scw.WithContext(ctx), scw.WithAllPages())
	if err == nil {
		err = complete(len(crons.Crons), crons.TotalCount)
	}
	if err != nil {
		return fmt.Errorf("list crons: %w", err)
	}
	domains, err := s.api.ListDomains(&function.ListDomainsRequest{Region: f.Region, FunctionID: f.ID, PageSize: size}, scw.WithContext(ctx), scw.WithAllPages())
	if err == nil {
		err = complete(len(domains.Domains), domains.TotalCount)
	}
	if err != nil {
		return fmt.Errorf("list domains: %w", err)
	}
	f.Crons, f.Domains = crons.Crons, domains.Domains
	f.tokens, err = s.tokens(ctx, &function.ListTokensRequest{Region: f.Region, FunctionID: &f.ID})
	return err
}

func (s *Source) tokens(ctx context.Context, request *function.ListTokensRequest) ([]*function.Token, error) {
	request.PageSize = new(uint32(pageSize))
	response, err := s.api.ListTokens(request, scw.WithContext(ctx), scw.WithAllPages())
	if err == nil {
		err = complete(len(response.Tokens), response.TotalCount)
	}
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return slices.DeleteFunc(response.Tokens, func(t *function.Token) bool { return t.Status == function.TokenStatusDeleting }), nil
}

// RequestKey returns the public key of a namespace. Scaleway returns it only with a new
// token, so that a token is created and deleted at once.
func (s *Source) RequestKey(ctx context.Context, n *Namespace) (string, error) {
	token, err := s.api.CreateToken(&function.CreateTokenRequest{
		Region: n.Region, NamespaceID: &n.ID, Description: new("created and deleted by jeton import to read the public key"),
		ExpiresAt: new(time.Now().Add(time.Hour)),
	}, scw.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("create a token to read the public key: %w", err)
	}
	_, err = s.api.DeleteToken(&function.DeleteTokenRequest{Region: n.Region, TokenID: token.ID}, scw.WithContext(context.WithoutCancel(ctx)))
	if err != nil {
		return "", fmt.Errorf("delete the token %s, which was created to read the public key: %w: delete it yourself", token.ID, err)
	}
	if token.PublicKey == nil {
		return "", errors.New("create a token to read the public key: the answer has no public key")
	}
	return *token.PublicKey, nil
}
