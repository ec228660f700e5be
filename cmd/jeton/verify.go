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

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
)

// verifyCommand verifies a token as a program would that is not Jeton, and
// then asks what only Jeton knows.
type verifyCommand struct {
	tokenArgument
	JWKS        string `name:"jwks" help:"Verify with the keys at this URL or in this file: a JSON Web Key Set, or one public key as PEM (default: those of the local server, which is then asked about revocation as well)." placeholder:"URL|FILE"`
	Credentials string `help:"Ask the local server with the API key in this file (default: the data folder's name and .credentials.yaml)." placeholder:"FILE"`
}

const (
	// answerTimeout is how long a server may take for an answer.
	answerTimeout = 10 * time.Second
	// maxKeySet bounds a key set, in bytes.
	maxKeySet = 16 << 20
	// jwksPath is where a server publishes its keys.
	jwksPath = "/.well-known/jwks.json"
)

// These end a command that has said already what is wrong. A token that may have
// been revoked counts as one that has.
var (
	errInvalid = errors.New("the token is not valid")
	errUnknown = errors.New("whether the token has been revoked is not known")
)

// Run prints a line on each thing that is verified, and on what is not.
func (c *verifyCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	t, err := c.read(s.in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	client, source := (*scw.Client)(nil), c.JWKS
	if source == "" {
		if client, source, err = localServer(line.DataDir, c.Credentials); err != nil {
			return err
		}
	}
	keys, err := readKeys(ctx, source)
	if err != nil {
		return fmt.Errorf("keys from %s: %w", source, err)
	}
	printMeaning(s.out, t, time.Now())
	fmt.Fprintln(s.out)
	keyID, signatureErr := t.VerifySignature(keys)
	claimsErr := t.VerifyClaims(time.Now())
	say(s.out, "signature ", signatureErr, "verified with the key "+keyID)
	say(s.out, "times     ", claimsErr, "valid now")
	revokedErr := sayRevocation(ctx, s.out, client, t.ID, signatureErr == nil)
	switch {
	case errors.Join(signatureErr, claimsErr) != nil || errors.Is(revokedErr, errRevoked):
		return errInvalid
	case revokedErr != nil:
		return errUnknown
	}
	return nil
}

func say(out io.Writer, what string, err error, good string) {
	if err != nil {
		good = "NOT VALID: " + err.Error()
	}
	fmt.Fprintf(out, "%s %s\n", what, good)
}

// localServer returns the client of the server that uses the data folder, and
// where that publishes its keys.
func localServer(dataDir, credentials string) (*scw.Client, string, error) {
	if credentials == "" {
		credentials = server.CredentialsPath(dataDir)
	}
	config, err := scw.LoadConfigFromPath(credentials)
	if err != nil {
		return nil, "", fmt.Errorf("no credentials at %s: start 'jeton serve' first, name the folder with --data-dir, or give the keys with --jwks", credentials)
	}
	client, err := scw.NewClient(scw.WithProfile(&config.Profile))
	if err != nil {
		return nil, "", fmt.Errorf("credentials at %s: %w", credentials, err)
	}
	return client, strings.TrimSuffix(text(config.APIURL), "/") + jwksPath, nil
}

func readKeys(ctx context.Context, source string) ([]token.PublicKey, error) {
	reader, err := openKeys(ctx, source)
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

func openKeys(ctx context.Context, source string) (io.ReadCloser, error) {
	if !strings.HasPrefix(source, "http://") && !strings.HasPrefix(source, "https://") {
		return os.Open(source)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("answered %s", response.Status)
	}
	return response.Body, nil
}

// errRevoked is the answer for a token that the server does not have.
var errRevoked = errors.New("the server has no such token: it was revoked, or went with its function or namespace, or is of another project than the API key")

// sayRevocation asks the server that has issued the token whether it is there
// still. Nothing in the token itself can tell.
func sayRevocation(ctx context.Context, out io.Writer, client *scw.Client, id string, signed bool) error {
	switch {
	case client == nil:
		fmt.Fprintln(out, "revocation not checked: the keys are not the local server's, and only who issued the token knows")
		return nil
	case !signed:
		fmt.Fprintln(out, "revocation not checked: the token is not the local server's")
		return nil
	}
	err := known(ctx, client, id)
	if err != nil && !errors.Is(err, errRevoked) {
		fmt.Fprintf(out, "revocation NOT KNOWN: %v\n", err)
		return err
	}
	say(out, "revocation", err, "not revoked")
	return err
}

// known asks for the token in each region: the token does not say in which it
// is.
func known(ctx context.Context, client *scw.Client, id string) error {
	api := function.NewAPI(client)
	for _, region := range api.Regions() {
		request := &function.GetTokenRequest{Region: region, TokenID: id}
		_, err := api.GetToken(request, scw.WithContext(ctx))
		if e, refused := errors.AsType[*scw.ResponseError](err); !refused || e.StatusCode != http.StatusNotFound {
			return err
		}
	}
	return errRevoked
}
