package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/token"
)

// verifyCommand verifies a token with public keys, as any program can, and then asks the
// server whether the token was revoked.
type verifyCommand struct {
	tokenArgument
	JWKS string `name:"jwks" help:"Source of public keys: a JWK set or a PEM file (default: the server)." placeholder:"URL|FILE"`
	remoteCommand
}

const (
	// answerTimeout is the maximum duration of all requests to the server.
	answerTimeout = 10 * time.Second
	// maxKeySet is the maximum size of a key set in bytes.
	maxKeySet = 16 << 20
	// jwksPath is the path of a server's public keys.
	jwksPath = "/.well-known/jwks.json"
)

// The command prints the details before it returns one of these errors. It fails as well
// if the server cannot be asked about revocation.
var (
	errInvalid = errors.New("the token is not valid")
	errUnknown = errors.New("cannot tell whether the token was revoked")
)

// Help implements kong.HelpProvider.
func (*verifyCommand) Help() string {
	return "Example: jeton token verify <token.txt\n\nWith --jwks the command asks no server and does not check revocation."
}

// Run prints one line for each check.
func (c *verifyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	t, err := c.read(s.in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var api *function.API
	source := c.JWKS
	if source == "" {
		server, err := c.connect(line)
		if err != nil {
			return fmt.Errorf("%w; or set --jwks", err)
		}
		api, source = server.Functions, server.URL+jwksPath
	}
	keys, err := readKeys(ctx, source)
	if err != nil {
		return explain(fmt.Errorf("read keys from %s: %w", source, err), source)
	}
	printMeaning(s.out, t, time.Now())
	fmt.Fprintln(s.out)
	keyID, signatureErr := t.VerifySignature(keys)
	claimsErr := t.VerifyClaims(time.Now())
	printCheck(s.out, "signature ", signatureErr, "verified with key "+keyID)
	printCheck(s.out, "times     ", claimsErr, "valid now")
	revokedErr := checkRevocation(ctx, s.out, api, t.ID, signatureErr == nil)
	switch {
	case errors.Join(signatureErr, claimsErr) != nil || errors.Is(revokedErr, errRevoked):
		return errInvalid
	case revokedErr != nil:
		return errUnknown
	}
	return nil
}

func printCheck(out io.Writer, name string, err error, passed string) {
	result := passed
	if err != nil {
		result = "NOT VALID: " + err.Error()
	}
	fmt.Fprintf(out, "%s %s\n", name, result)
}

func readKeys(ctx context.Context, source string) ([]token.PublicKey, error) {
	reader, err := openKeys(ctx, http.DefaultClient, source)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	content, err := io.ReadAll(io.LimitReader(reader, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxKeySet {
		return nil, fmt.Errorf("larger than %d bytes", maxKeySet)
	}
	return token.ParseKeys(content)
}

// openKeys opens a file or a URL.
func openKeys(ctx context.Context, client *http.Client, source string) (io.ReadCloser, error) {
	if !strings.HasPrefix(source, "http://") && !strings.HasPrefix(source, "https://") {
		return os.Open(source)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("status %s", response.Status)
	}
	return response.Body, nil
}

// errRevoked means that the server has no such token.
var errRevoked = errors.New("the server has no such token: it was deleted, directly or with its function or namespace, or it belongs to another project than the API key")

// checkRevocation asks the server whether the token exists, and prints the result. api
// is nil if the keys are not those of a server.
func checkRevocation(ctx context.Context, out io.Writer, api *function.API, id string, signed bool) error {
	switch {
	case api == nil:
		fmt.Fprintln(out, "revocation not checked: the keys are not those of a server")
		return nil
	case !signed:
		fmt.Fprintln(out, "revocation not checked: the server did not sign the token")
		return nil
	}
	err := findToken(ctx, api, id)
	if err != nil && !errors.Is(err, errRevoked) {
		fmt.Fprintf(out, "revocation NOT KNOWN: %v\n", err)
		return err
	}
	printCheck(out, "revocation", err, "not revoked")
	return err
}

// findToken requests the token in each region, since the token does not contain its
// region. It returns errRevoked if no region has it.
func findToken(ctx context.Context, api *function.API, id string) error {
	for _, region := range api.Regions() {
		request := &function.GetTokenRequest{Region: region, TokenID: id}
		_, err := api.GetToken(request, scw.WithContext(ctx))
		if e, refused := errors.AsType[*scw.ResponseError](err); !refused || e.StatusCode != http.StatusNotFound {
			return err
		}
	}
	return errRevoked
}
