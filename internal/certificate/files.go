package certificate

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookAgain is how often the files are looked at, at most.
const lookAgain = time.Second

// Files is a certificate and its key in two PEM files, which may be replaced
// at any time. It is for every host: who connects decides whether it fits.
type Files struct {
	certificate, key string
	now              func() time.Time
	log              *slog.Logger

	mu       sync.Mutex
	current  *tls.Certificate
	state    [2]fileState
	lookedAt time.Time
}

// fileState is what changes when a file does.
type fileState struct {
	modified time.Time
	size     int64
}

// OpenFiles reads the pair of files.
func OpenFiles(certificate, key string, now func() time.Time, log *slog.Logger) (*Files, error) {
	f := &Files{certificate: certificate, key: key, now: now, log: log, lookedAt: now()}
	var err error
	if f.state, err = f.look(); err != nil {
		return nil, err
	}
	if f.current, err = f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// GetCertificate is for tls.Config. A new pair that is broken, or of which only
// one file has been written yet, leaves the old one in use.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.lookedAt) >= lookAgain {
		f.lookedAt = now
		f.refresh()
	}
	return f.current, nil
}

func (f *Files) refresh() {
	state, err := f.look()
	if err == nil && state == f.state {
		return
	}
	var renewed *tls.Certificate
	if err == nil {
		f.state = state
		renewed, err = f.read()
	}
	if err != nil {
		f.log.Error("the new certificate cannot be used, and the old one stays in use", "error", err)
		return
	}
	f.current = renewed
	f.log.Info("a new certificate is in use", "file", f.certificate, "expires", renewed.Leaf.NotAfter)
}

func (f *Files) look() (state [2]fileState, err error) {
	for i, path := range []string{f.certificate, f.key} {
		info, err := os.Stat(path)
		if err != nil {
			return state, fmt.Errorf("certificate: %w", err)
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, nil
}

func (f *Files) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.certificate, f.key, err)
	}
	return &pair, nil
}
