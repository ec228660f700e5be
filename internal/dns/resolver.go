package dns

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// questionTimeout is the time for all queries about one hostname.
	questionTimeout = 5 * time.Second
	// maxAliases is the longest chain of CNAME records that is followed.
	maxAliases = 8
	// maxAnswer is the maximum size of a response over UDP in bytes, which fits into a
	// packet on most networks. Longer ones are requested again over TCP, which limits
	// them to 64 KiB.
	maxAnswer = 1232
)

// ProofPrefix is the label under which the owner of a hostname publishes the TXT record
// for a project, and ProofValue the start of its value.
const (
	ProofPrefix = "_jeton."
	ProofValue  = "jeton-project="
)

// Resolver queries one DNS server. It is safe for concurrent use.
type Resolver struct{ server string }

// New returns a resolver that queries the recursive DNS server at an address such as
// 192.0.2.53:53.
func New(server string) *Resolver { return &Resolver{server} }

// Proof looks for a proof that the owner of a hostname assigned it to a function: a
// CNAME record that leads to the function's own domain name, directly or through other
// aliases, or a TXT record for the function's project. It returns "" if there is one,
// and otherwise a text for users that says what the DNS shows instead. It returns an
// error if the DNS server did not answer. An address record is no proof, because all
// functions of a gateway share its address.
func (r *Resolver) Proof(ctx context.Context, hostname, domainName, projectID string) (missing string, err error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	found, missing, err := r.aliasOf(ctx, hostname, domainName)
	if err != nil || found {
		return "", err
	}
	texts, err := r.texts(ctx, ProofPrefix+hostname)
	if err != nil || slices.Contains(texts, ProofValue+projectID) {
		return "", err
	}
	return missing, nil
}

// aliasOf follows the aliases of a hostname until one of them is the target.
func (r *Resolver) aliasOf(ctx context.Context, hostname, target string) (found bool, missing string, err error) {
	name := absolute(hostname)
	for range maxAliases {
		next, exists, err := r.alias(ctx, name)
		switch {
		case err != nil:
			return false, "", err
		case next == absolute(target):
			return true, "", nil
		case next == "" && name != absolute(hostname):
			return false, fmt.Sprintf("%s is a CNAME of %s", hostname, strings.TrimSuffix(name, ".")), nil
		case next == "" && !exists:
			return false, hostname + " is not in the DNS", nil
		case next == "":
			return false, hostname + " is not a CNAME", nil
		}
		name = next
	}
	return false, fmt.Sprintf("%s leads through more than %d aliases", hostname, maxAliases), nil
}

// alias returns the target of a name's CNAME record, empty if it has none, and
// whether the name exists.
func (r *Resolver) alias(ctx context.Context, name string) (target string, exists bool, err error) {
	answer, err := r.ask(ctx, name, dns.TypeCNAME)
	if err != nil {
		return "", false, err
	}
	for _, record := range answer.Answer {
		if cname, ok := record.(*dns.CNAME); ok && absolute(cname.Hdr.Name) == name {
			return absolute(cname.Target), true, nil
		}
	}
	return "", answer.Rcode != dns.RcodeNameError, nil
}

// texts returns the values of the TXT records of a name.
func (r *Resolver) texts(ctx context.Context, name string) ([]string, error) {
	answer, err := r.ask(ctx, absolute(name), dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	var values []string
	for _, record := range answer.Answer {
		if text, ok := record.(*dns.TXT); ok {
			values = append(values, strings.Join(text.Txt, ""))
		}
	}
	return values, nil
}

// ask sends one query over UDP and, if the response is truncated, over TCP.
func (r *Resolver) ask(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	question := new(dns.Msg).SetQuestion(name, kind)
	question.SetEdns0(maxAnswer, false)
	udp := &dns.Client{UDPSize: maxAnswer, Timeout: questionTimeout}
	answer, _, err := udp.ExchangeContext(ctx, question, r.server)
	if err == nil && answer.Truncated {
		tcp := &dns.Client{Net: "tcp", Timeout: questionTimeout}
		answer, _, err = tcp.ExchangeContext(ctx, question, r.server)
	}
	if err != nil {
		return nil, fmt.Errorf("query DNS server %s for %s: %w", r.server, name, err)
	}
	if answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
		return nil, fmt.Errorf("query DNS server %s for %s: %s", r.server, name, dns.RcodeToString[answer.Rcode])
	}
	if len(answer.Question) != 1 || absolute(answer.Question[0].Name) != name || answer.Question[0].Qtype != kind {
		return nil, fmt.Errorf("query DNS server %s for %s: the response is for another query", r.server, name)
	}
	return answer, nil
}

// absolute returns the name in lower case with a trailing dot.
func absolute(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }
