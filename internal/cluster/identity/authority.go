package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The times of authorities and certificates.
const (
	// backdate is how far the clocks of two nodes may differ.
	backdate = time.Hour
	// An authority is replaced after authorityAge. It is trusted until authorityLifetime, so
	// for all certificates that it has issued.
	authorityAge      = 90 * 24 * time.Hour
	authorityLifetime = 180 * 24 * time.Hour
	// settle is the time after which a new authority issues certificates. All nodes have
	// read it by then: they do so every refreshInterval.
	settle          = time.Hour
	refreshInterval = 10 * time.Minute
	// certificateLifetime is that of a node's certificate, and certificateAge the age after
	// which it is replaced.
	certificateLifetime = 24 * time.Hour
	certificateAge      = 8 * time.Hour
	// maxAuthorities is the number of authorities above which expired ones are removed. Two
	// are valid at a time.
	maxAuthorities = 16
)

// An authority is one certificate authority of the cluster.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// created returns the time at which the authority was made.
func (a authority) created() time.Time { return a.certificate.NotBefore.Add(backdate) }

func newAuthority(now time.Time) (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "jeton cluster"},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(authorityLifetime),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	certificate, err := x509.ParseCertificate(encoded)
	return authority{certificate, key}, err
}

// authorities are the authorities of the cluster, oldest first.
type authorities []authority

// document is the form in which authorities are sealed.
type document struct {
	Authorities []encodedAuthority `json:"authorities"`
}

type encodedAuthority struct {
	Certificate []byte `json:"certificate"`
	Key         []byte `json:"key"`
}

func (all authorities) encode() ([]byte, error) {
	var d document
	for _, a := range all {
		key, err := x509.MarshalPKCS8PrivateKey(a.key)
		if err != nil {
			return nil, err
		}
		d.Authorities = append(d.Authorities, encodedAuthority{a.certificate.Raw, key})
	}
	return json.Marshal(d)
}

func decodeAuthorities(encoded []byte) (authorities, error) {
	var d document
	if err := json.Unmarshal(encoded, &d); err != nil {
		return nil, err
	}
	var all authorities
	for _, e := range d.Authorities {
		certificate, err := x509.ParseCertificate(e.Certificate)
		if err != nil {
			return nil, err
		}
		parsed, err := x509.ParsePKCS8PrivateKey(e.Key)
		if err != nil {
			return nil, err
		}
		key, ok := parsed.(*ecdsa.PrivateKey)
		if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
			return nil, fmt.Errorf("the key of the authority %s is not that of its certificate", certificate.SerialNumber)
		}
		all = append(all, authority{certificate, key})
	}
	return all, nil
}

// valid reports whether an authority may issue and verify certificates.
func (a authority) valid(now time.Time) bool {
	return !now.Before(a.certificate.NotBefore) && now.Before(a.certificate.NotAfter)
}

// renewed returns the authorities with a new one if the newest that is valid is too old.
// changed reports whether that differs. Authorities that have expired are removed only when
// there are more than maxAuthorities: the clock of this node may be wrong, and the others
// need them. One that is not valid yet, because its node's clock was ahead, counts for
// nothing.
func (all authorities) renewed(now time.Time) (renewed authorities, changed bool, err error) {
	newest := time.Time{}
	for _, a := range all {
		if a.valid(now) && a.created().After(newest) {
			newest = a.created()
		}
	}
	if !newest.IsZero() && now.Sub(newest) < authorityAge {
		return all, false, nil
	}
	a, err := newAuthority(now)
	renewed = append(slices.Clone(all), a)
	for len(renewed) > maxAuthorities {
		expired := slices.IndexFunc(renewed, func(a authority) bool { return !now.Before(a.certificate.NotAfter) })
		if expired < 0 {
			break
		}
		renewed = slices.Delete(renewed, expired, expired+1)
	}
	return renewed, true, err
}

// issuer returns the authority that issues certificates now: the newest that all nodes
// trust or, if there is none, the oldest that is valid.
func (all authorities) issuer(now time.Time) (authority, error) {
	var issuer, first authority
	for _, a := range all {
		if !a.valid(now) {
			continue
		}
		if first.certificate == nil || a.created().Before(first.created()) {
			first = a
		}
		if now.Sub(a.created()) >= settle && (issuer.certificate == nil || a.created().After(issuer.created())) {
			issuer = a
		}
	}
	if issuer.certificate == nil {
		issuer = first
	}
	if issuer.certificate == nil {
		return authority{}, errors.New("the cluster has no certificate authority that is valid now: check the clocks of all nodes")
	}
	return issuer, nil
}

// pool returns the authorities as those that are trusted.
func (all authorities) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, a := range all {
		pool.AddCert(a.certificate)
	}
	return pool
}
