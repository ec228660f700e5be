package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/certificate"
)

// caCommand prints the certificate that clients must trust to call functions over TLS.
type caCommand struct{}

// Run prints the certificate as PEM. It needs no running server.
func (caCommand) Run(line *commandLine, s streams) error {
	content, err := os.ReadFile(filepath.Join(line.DataDir, certificate.AuthorityFile))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no local authority in %s: start 'jeton serve --gateway-tls-listen HOST:PORT' first, without --tls-cert", line.DataDir)
	}
	if err != nil {
		return err
	}
	_, err = s.out.Write(content)
	return err
}
