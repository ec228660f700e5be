// Package nameserver is a real DNS server for tests, which knows a few aliases.
package nameserver

import (
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// A Server answers over UDP, on a port of this machine.
type Server struct {
	net.PacketConn

	mu      sync.Mutex
	aliases map[string]string
	// left is how many more questions are answered by an alias; negative
	// for any number.
	left int
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	connection, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start a DNS server: %v", err)
	}
	s := &Server{PacketConn: connection, aliases: map[string]string{}, left: -1}
	t.Cleanup(func() { _ = s.Close() })
	go s.serve()
	return s
}

// Address is what a resolver is to ask.
func (s *Server) Address() string { return s.LocalAddr().String() }

// Alias makes name an alias of target.
func (s *Server) Alias(name, target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aliases[name+"."] = target + "."
}

// Limit is how many more questions are answered by an alias.
func (s *Server) Limit(questions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = questions
}

func (s *Server) serve() {
	buffer := make([]byte, 1500)
	for {
		n, from, err := s.ReadFrom(buffer)
		if err != nil {
			return
		}
		var message dnsmessage.Message
		if message.Unpack(buffer[:n]) != nil || len(message.Questions) != 1 {
			continue
		}
		s.answer(&message)
		if packed, err := message.Pack(); err == nil {
			_, _ = s.WriteTo(packed, from)
		}
	}
}

// answer follows one alias, whose target has an address in the documentation's
// network.
func (s *Server) answer(m *dnsmessage.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Response, m.Additionals = true, nil
	name := m.Questions[0].Name
	class := func(name dnsmessage.Name) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 1}
	}
	target, ok := s.aliases[strings.ToLower(name.String())]
	if !ok || s.left == 0 {
		m.RCode = dnsmessage.RCodeNameError
		return
	}
	s.left--
	alias := dnsmessage.MustNewName(target)
	m.Answers = append(m.Answers, dnsmessage.Resource{Header: class(name), Body: &dnsmessage.CNAMEResource{CNAME: alias}})
	if m.Questions[0].Type == dnsmessage.TypeA {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: class(alias), Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}})
	}
}
