package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
)

const (
	privateHost = "private.localhost"
	publicHost  = "public.localhost"
	privateID   = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"
	publicID    = "b570d8b5-572f-49c2-9821-f3e363d3f2dc"
	tokenID     = "c570d8b5-572f-49c2-9821-f3e363d3f2dc"
	namespaceID = "d049a22d-92fd-48a5-9b3f-8c5633c313d3"
)

// setup is what the processes of a measurement have in common. They read it from a
// file.
type setup struct {
	// Instance is the path of the instance's socket.
	Instance string
	Token    string
	// Ports are the ports of the processes that listen, by role.
	Ports map[string]int
}

func (s setup) address(role string) string { return fmt.Sprintf("127.0.0.1:%d", s.Ports[role]) }

// withSetup returns a role that reads the setup from the file that is its argument.
func withSetup(run func(setup) error) func([]string) error {
	return func(arguments []string) error {
		var s setup
		content, err := os.ReadFile(arguments[0])
		if err != nil {
			return err
		}
		if err := json.Unmarshal(content, &s); err != nil {
			return err
		}
		// The baselines use the garbage collector's settings of the gateway.
		server.CollectLessOften()
		return run(s)
	}
}

// newSetup writes a setup with a valid token, the key that signed it, and the
// configurations of nginx and HAProxy to files of dir. It returns the setup's path.
func newSetup(dir string) (setup, string, error) {
	s := setup{Instance: filepath.Join(dir, "instance"), Ports: map[string]int{}}
	for _, role := range []string{"gateway", "proxy", "nginx", "haproxy-jwt"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return s, "", err
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return s, "", err
		}
		if s.Ports[role], err = strconv.Atoi(port); err != nil {
			return s, "", err
		}
	}
	pair, err := token.GenerateKeyPair(token.KeyBits)
	if err != nil {
		return s, "", err
	}
	sealer, err := secret.NewSealer(make([]byte, secret.KeySize))
	if err != nil {
		return s, "", err
	}
	text, err := token.NewMinter(sealer).Mint(functions.Namespace{PrivateKey: token.SealPrivate(sealer, pair)},
		functions.Token{ID: tokenID, FunctionID: privateID, CreatedAt: time.Now()})
	if err != nil {
		return s, "", err
	}
	s.Token = text.Reveal()
	encoded, err := json.Marshal(s)
	if err != nil {
		return s, "", err
	}
	path, publicKey := filepath.Join(dir, "setup.json"), filepath.Join(dir, "public.pem")
	if err := os.WriteFile(path, encoded, 0o600); err != nil {
		return s, "", err
	}
	if err := writePublicKey(pair, publicKey); err != nil {
		return s, "", err
	}
	return s, path, writeConfigurations(s, dir, publicKey)
}

// writePublicKey writes the public key as PKIX, which HAProxy reads.
func writePublicKey(pair token.KeyPair, path string) error {
	block, _ := pem.Decode([]byte(pair.Public))
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

// writeConfigurations writes nginx.conf and haproxy.cfg.
func writeConfigurations(s setup, dir, publicKey string) error {
	nginx := fmt.Sprintf(`user root; worker_processes 2; daemon off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path %[1]s/nb; proxy_temp_path %[1]s/np; fastcgi_temp_path %[1]s/nf; uwsgi_temp_path %[1]s/nu; scgi_temp_path %[1]s/ns;
  upstream instance { server unix:%[2]s; keepalive 64; keepalive_requests 1000000; }
  server { listen %[3]s; location / { proxy_pass http://instance; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`, dir, s.Instance, s.address("nginx"))
	haproxy := fmt.Sprintf(`global
  maxconn 1024
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind %s
  http-request set-var(txn.token) req.hdr(X-Auth-Token)
  http-request deny unless { var(txn.token),jwt_verify("RS256","%s") 1 }
  default_backend instance
backend instance
  http-reuse always
  server instance unix@%s
`, s.address("haproxy-jwt"), publicKey, s.Instance)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(nginx), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "haproxy.cfg"), []byte(haproxy), 0o644)
}
