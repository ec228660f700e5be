package dns_test

import (
	"net"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/dns"
	"github.com/jeton-dev/jeton/test/nameserver"
)

func TestProof_AcceptsAliasesAndTexts(t *testing.T) {
	t.Parallel()
	const (
		own     = "ns12345678-f.functions.example.org"
		sibling = "ns12345678-g.functions.example.org"
		project = "11111111-1111-4111-8111-111111111111"
	)
	names := nameserver.Start(t)
	names.Alias("direct.example.com", own)
	names.Alias("upper.example.com", "NS12345678-F.Functions.example.org")
	names.Alias("chain.example.com", "direct.example.com")
	names.Alias("sibling.example.com", sibling)
	names.Alias("loop.example.com", "pool.example.com")
	names.Alias("pool.example.com", "loop.example.com")
	names.Text("_jeton.apex.com", "jeton-project="+project)
	names.Text("_jeton.theirs.com", "jeton-project=22222222-2222-4222-8222-222222222222")
	names.Text("_jeton.bare.com", project)
	// The function's own name is an alias of the gateway.
	names.Alias(own, "gateway.example.org")
	resolver := dns.New(names.Address())
	for hostname, want := range map[string]string{
		"direct.example.com": "", "DIRECT.example.com.": "", "upper.example.com": "", "chain.example.com": "", "apex.com": "",
		// These have the same address as the function's own name.
		"sibling.example.com": "sibling.example.com is a CNAME of " + sibling,
		"gateway.example.org": "gateway.example.org is not in the DNS",
		"loop.example.com":    "more than 8 aliases",
		"nowhere.example.com": "nowhere.example.com is not in the DNS",
		"theirs.com":          "theirs.com is not in the DNS",
		"bare.com":            "bare.com is not in the DNS",
	} {
		missing, err := resolver.Proof(t.Context(), hostname, own, project)
		if err != nil || (missing == "") != (want == "") || !strings.Contains(missing, want) {
			t.Errorf("%s: got %q, %v, want %q", hostname, missing, err, want)
		}
	}
}

func TestProof_ReturnsErrorOfServer(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			// This makes the query a response with the code SERVFAIL.
			buffer[2], buffer[3] = 0x80, 2
			_, _ = server.WriteTo(buffer[:n], from)
		}
	}()
	missing, err := dns.New(server.LocalAddr().String()).Proof(t.Context(), "a.example.com", "b.example.com", "p")
	if err == nil || missing != "" {
		t.Errorf("got %q, %v, want an error", missing, err)
	}
}
