package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/server"
)

// caCommand prints the certificate that clients must trust to use the server over TLS.
type caCommand struct {
	API bool `name:"api" help:"Print the certificate for the API instead of that for functions."`
}

// Run prints the certificate as PEM. It needs no running server.
func (c caCommand) Run(line *commandLine, s streams) error {
	path, flags := filepath.Join(line.DataDir, certificate.AuthorityFile), "--gateway-tls-listen HOST:PORT' first, without --tls-cert"
	if c.API {
		path, flags = server.APIAuthorityFile(line.DataDir), "--api-tls-listen HOST:PORT' first, without --api-tls-cert"
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no local authority in %s: start 'jeton serve %s", line.DataDir, flags)
	}
	if err != nil {
		return err
	}
	_, err = s.out.Write(content)
	return err
}
