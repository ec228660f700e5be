package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// patience is how long one question may take, answers of its aliases included.
const patience = 5 * time.Second

// Resolver asks one DNS server.
type Resolver struct{ resolver *net.Resolver }

// New returns a resolver that asks the server at an address such as
// 192.0.2.53:53.
func New(server string) *Resolver {
	return &Resolver{&net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, server)
		},
	}}
}

// PointsTo returns nil if the hostname is an alias of target, or leads to an
// address that target leads to; otherwise an error that says where it leads.
func (r *Resolver) PointsTo(ctx context.Context, hostname, target string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	alias, err := r.resolver.LookupCNAME(ctx, absolute(hostname))
	if err == nil && absolute(alias) == absolute(target) {
		return nil
	}
	addresses, err := r.resolver.LookupHost(ctx, absolute(hostname))
	if err != nil {
		return unresolved(hostname, err)
	}
	wanted, err := r.resolver.LookupHost(ctx, absolute(target))
	if err != nil {
		return fmt.Errorf("%s is no alias of %s", hostname, target)
	}
	if slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(wanted, a) }) {
		return nil
	}
	return fmt.Errorf("%s leads to %s", hostname, strings.Join(addresses, ", "))
}

func unresolved(hostname string, err error) error {
	var failed *net.DNSError
	if errors.As(err, &failed) && failed.IsNotFound {
		return fmt.Errorf("%s is not in the DNS", hostname)
	}
	return fmt.Errorf("%s could not be looked up", hostname)
}

// absolute is the name as DNS has it, with the dot at its end, by which search
// lists are left out.
func absolute(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }
