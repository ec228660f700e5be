package certificate

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

// A Stored is a certificate that an authority has issued.
type Stored struct {
	Names    []string
	NotAfter time.Time
}

const (
	// maxStored is the maximum number of certificates that Stored returns.
	maxStored = 200
	// storedLife is how long the list is used: reading it takes a request per certificate.
	storedLife = time.Minute
)

// storedList is the latest list.
type storedList struct {
	mu    sync.Mutex
	found []Stored
	total int
	read  time.Time
}

// Stored returns up to 200 certificates, those that expire first, and the number of all.
// The list may be a minute old.
func (a *ACME) Stored(ctx context.Context, now time.Time) ([]Stored, int, error) {
	a.list.mu.Lock()
	defer a.list.mu.Unlock()
	if !a.list.read.IsZero() && now.Sub(a.list.read).Abs() < storedLife {
		return a.list.found, a.list.total, nil
	}
	keys, err := a.config.Storage.List(ctx, certmagic.StorageKeys.CertsPrefix(a.issuer.IssuerKey()), true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("list certificates: %w", err)
	}
	found := []Stored{}
	for _, key := range keys {
		if !strings.HasSuffix(key, ".crt") {
			continue
		}
		content, err := a.config.Storage.Load(ctx, key)
		if errors.Is(err, fs.ErrNotExist) {
			continue // It was removed in the meantime.
		}
		if err != nil {
			return nil, 0, err
		}
		if one, ok := Describe(content); ok {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b Stored) int { return a.NotAfter.Compare(b.NotAfter) })
	total := len(found)
	a.list.found, a.list.total, a.list.read = found[:min(total, maxStored)], total, now
	return a.list.found, total, nil
}

// Describe returns the names and the expiry of the first certificate of a PEM file, and
// whether it contains one.
func Describe(content []byte) (Stored, bool) {
	block, _ := pem.Decode(content)
	if block == nil {
		return Stored{}, false
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Stored{}, false
	}
	names := append([]string{}, parsed.DNSNames...)
	if len(names) == 0 {
		names = append(names, parsed.Subject.CommonName)
	}
	return Stored{names, parsed.NotAfter.UTC()}, true
}
