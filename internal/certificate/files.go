package certificate

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// checkInterval is the minimum time between two checks for changed files.
const checkInterval = time.Second

// Files is a certificate and its key in two PEM files. The files may be replaced at any time.
// The certificate is used for every hostname. Files is safe for concurrent use.
type Files struct {
	certificate, key string
	now              func() time.Time
	log              *slog.Logger

	mu        sync.Mutex
	current   *tls.Certificate
	state     [2]fileState
	checkedAt time.Time
}

// fileState differs if a file was changed.
type fileState struct {
	modified time.Time
	size     int64
}

// OpenFiles reads a certificate and its key. It returns an error if they do not match.
func OpenFiles(certificate, key string, now func() time.Time, log *slog.Logger) (*Files, error) {
	f := &Files{certificate: certificate, key: key, now: now, log: log, checkedAt: now()}
	var err error
	if f.state, err = f.stat(); err != nil {
		return nil, err
	}
	if f.current, err = f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// GetCertificate implements tls.Config.GetCertificate. If the files were changed but cannot
// be read, or do not match yet, it returns the previous certificate.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.checkedAt) >= checkInterval {
		f.checkedAt = now
		f.refresh()
	}
	return f.current, nil
}

// Covers returns an error if the certificate is not valid for a host.
func (f *Files) Covers(host string) error {
	certificate, err := f.GetCertificate(nil)
	if err != nil {
		return err
	}
	if err := certificate.Leaf.VerifyHostname(host); err != nil {
		return fmt.Errorf("%s has no certificate for %s: add the host to the certificate, or use --acme-directory: %w", f.certificate, host, err)
	}
	return nil
}

// refresh reads the files if they were changed. The caller holds f.mu.
func (f *Files) refresh() {
	state, err := f.stat()
	if err == nil && state == f.state {
		return
	}
	var renewed *tls.Certificate
	if err == nil {
		f.state = state
		renewed, err = f.read()
	}
	if err != nil {
		f.log.Error("cannot use the new certificate: continuing with the previous one", "error", err)
		return
	}
	f.current = renewed
	f.log.Info("using a new certificate", "file", f.certificate, "expires", renewed.Leaf.NotAfter)
}

func (f *Files) stat() (state [2]fileState, err error) {
	for i, path := range []string{f.certificate, f.key} {
		info, err := os.Stat(path)
		if err != nil {
			return state, fmt.Errorf("read certificate: %w", err)
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, nil
}

func (f *Files) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s with key %s: %w", f.certificate, f.key, err)
	}
	return &pair, nil
}
