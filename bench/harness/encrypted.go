package harness

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"time"
)

// sidecarProgram ends mutual TLS in front of an instance and copies bytes, as the proxies of a
// service mesh do that do not read HTTP. Its arguments are the folder of WriteKeyPair, its address,
// and the unix socket of the instance.
const sidecarProgram = `package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
)

func main() {
	dir, address, socket := os.Args[1], os.Args[2], os.Args[3]
	certificate, err := tls.LoadX509KeyPair(dir+"/certificate.pem", dir+"/key.pem")
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(dir + "/certificate.pem")
	if err != nil {
		panic(err)
	}
	peers := x509.NewCertPool()
	peers.AppendCertsFromPEM(text)
	listener, err := tls.Listen("tcp", address, &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientCAs: peers, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	})
	if err != nil {
		panic(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer conn.Close()
			instance, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			defer instance.Close()
			go func() { io.Copy(conn, instance); conn.Close() }()
			io.Copy(instance, conn)
		}()
	}
}
`

// BuildSidecar builds sidecarProgram in dir, and returns its path.
func BuildSidecar(ctx context.Context, dir string) (string, error) {
	return buildProgram(ctx, dir, "sidecar", sidecarProgram)
}

const (
	certificateFile = "certificate.pem"
	keyFile         = "key.pem"
	// sidecarName is the name in the certificate.
	sidecarName = "sidecar"
)

// WriteKeyPair writes a key and its certificate to dir. Both sides of a connection use them.
func WriteKeyPair(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{sidecarName}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, content []byte) error {
		// The user of a Pod reads it.
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o644)
	}
	return errors.Join(write(certificateFile, "CERTIFICATE", certificate), write(keyFile, "PRIVATE KEY", encoded))
}

// Encrypted returns the argument of RunProxy for a sidecar at an address, with the key of dir.
func Encrypted(dir, address string) string { return dir + "@" + address }

// EncryptedProxy returns BareProxy in front of a sidecar at an address: it connects by mutual TLS,
// with the key of dir.
func EncryptedProxy(dir, address string, idleConnections int, buffers httputil.BufferPool) (http.Handler, error) {
	certificate, err := tls.LoadX509KeyPair(filepath.Join(dir, certificateFile), filepath.Join(dir, keyFile))
	if err != nil {
		return nil, err
	}
	if certificate.Leaf == nil {
		return nil, fmt.Errorf("%s has no certificate", certificateFile)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	proxy := BareProxy(address, idleConnections, buffers)
	proxy.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
		TLSClientConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate}, RootCAs: roots, ServerName: sidecarName, MinVersion: tls.VersionTLS13,
		},
		DisableCompression: true, MaxIdleConnsPerHost: idleConnections,
	}
	proxy.Rewrite = func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host = "https", "instance"
		p.SetXForwarded()
	}
	return proxy, nil
}
