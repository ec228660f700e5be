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

// renewed returns the authorities without those that have expired, and with a new one if the
// newest is too old. changed reports whether that differs.
func (all authorities) renewed(now time.Time) (renewed authorities, changed bool, err error) {
	for _, a := range all {
		if now.Before(a.certificate.NotAfter) {
			renewed = append(renewed, a)
		}
	}
	changed = len(renewed) != len(all)
	if len(renewed) > 0 && now.Sub(renewed[len(renewed)-1].created()) < authorityAge {
		return renewed, changed, nil
	}
	a, err := newAuthority(now)
	return append(renewed, a), true, err
}

// issuer returns the authority that issues certificates now: the newest that all nodes
// trust.
func (all authorities) issuer(now time.Time) (authority, error) {
	if len(all) == 0 {
		return authority{}, errors.New("the cluster has no certificate authority")
	}
	issuer := all[0]
	for _, a := range all[1:] {
		if now.Sub(a.created()) >= settle {
			issuer = a
		}
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
