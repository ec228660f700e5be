package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/functions"
)

// errHalfPair is returned where only one of two files is named.
var errHalfPair = errors.New("a certificate needs its key, and a key its certificate: give both --tls-cert and --tls-key, or none to have a local authority make certificates")

// errNoTLS is returned where a certificate is named that nobody would see.
var errNoTLS = errors.New("a certificate is given, and no port that shows it: give --gateway-tls-listen")

// certificates has the certificate for each connection.
type certificates interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

func (s *Server) openCertificates(context.Context) (err error) {
	c := s.config
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errHalfPair
	case c.GatewayTLSListen == "" && c.TLSCert != "":
		return errNoTLS
	case c.GatewayTLSListen == "":
		return nil
	case c.TLSCert != "":
		s.certificates, err = certificate.OpenFiles(c.TLSCert, c.TLSKey, c.Now, s.log)
		return err
	}
	var domains []string
	for _, region := range functions.Regions {
		domains = append(domains, strings.ReplaceAll(c.Domain, "{region}", string(region)))
	}
	authority, err := certificate.OpenAuthority(c.DataDir, domains, s.box, c.Now)
	if err != nil {
		return err
	}
	s.certificates = certificate.NewHosts(authority, s.table.Serves)
	s.log.Info("certificates are made by a local authority, for development: have clients trust what 'jeton ca' prints")
	return nil
}

// encrypted returns a listener whose connections are decrypted. HTTP/2 is
// spoken with those who offer it.
func (s *Server) encrypted(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		GetCertificate: s.certificates.GetCertificate,
		NextProtos:     []string{"h2", "http/1.1"},
		MinVersion:     tls.VersionTLS12,
	})
}
