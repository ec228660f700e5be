// Package nameserver is a DNS server for tests with a few CNAME, A and TXT records.
package nameserver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// A Server answers over UDP and TCP on one port of the loopback interface. Its methods
// are safe for concurrent use.
type Server struct {
	net.PacketConn
	listener net.Listener

	mu      sync.Mutex
	aliases map[string]string
	texts   map[string]string
	// address is the address of the targets of all aliases.
	address [4]byte
	// remaining is how many more questions are answered with an alias; negative means
	// no limit.
	remaining int
}

// Start starts a server that runs until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// New starts a server that runs until Close.
func New() (*Server, error) {
	connection, listener, err := listen()
	for range 20 {
		if err == nil {
			break
		}
		// The free UDP port may be in use for TCP.
		connection, listener, err = listen()
	}
	if err != nil {
		return nil, fmt.Errorf("start DNS server: %w", err)
	}
	s := &Server{PacketConn: connection, aliases: map[string]string{}, texts: map[string]string{}, address: [4]byte{192, 0, 2, 1}, remaining: -1}
	s.listener = listener
	go s.serveTCP(listener)
	go s.serve()
	return s, nil
}

// Close stops the server.
func (s *Server) Close() error { return errors.Join(s.PacketConn.Close(), s.listener.Close()) }

// listen opens the same free port for both protocols.
func listen() (net.PacketConn, net.Listener, error) {
	connection, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", connection.LocalAddr().String())
	if err != nil {
		return nil, nil, errors.Join(err, connection.Close())
	}
	return connection, listener, nil
}

// Address returns the server's HOST:PORT.
func (s *Server) Address() string { return s.LocalAddr().String() }

// Alias makes name an alias of target.
func (s *Server) Alias(name, target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aliases[name+"."] = target + "."
}

// Text sets the TXT record of a name.
func (s *Server) Text(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[name+"."] = value
}

// LeadTo sets the address of the targets of all aliases. The default is 192.0.2.1, an
// address for documentation.
func (s *Server) LeadTo(address [4]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = address
}

// Limit sets how many more questions are answered with an alias; later ones get
// NXDOMAIN. A negative number means no limit, which is the default.
func (s *Server) Limit(questions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remaining = questions
}

func (s *Server) serve() {
	buffer := make([]byte, 1500)
	for {
		n, from, err := s.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer := s.reply(buffer[:n]); answer != nil {
			_, _ = s.WriteTo(answer, from)
		}
	}
}

// serveTCP answers one question per connection. Messages have a length prefix over TCP
// (RFC 1035, 4.2.2).
func (s *Server) serveTCP(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			var length [2]byte
			if _, err := io.ReadFull(connection, length[:]); err != nil {
				return
			}
			question := make([]byte, binary.BigEndian.Uint16(length[:]))
			if _, err := io.ReadFull(connection, question); err != nil {
				return
			}
			answer := s.reply(question)
			_, _ = connection.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
		}()
	}
}

// reply returns the answer to a question; nil for an invalid message.
func (s *Server) reply(question []byte) []byte {
	var message dnsmessage.Message
	if message.Unpack(question) != nil || len(message.Questions) != 1 {
		return nil
	}
	s.answer(&message)
	packed, err := message.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// answer turns a question into its answer: a TXT record, or an alias and the address of
// its target, or NXDOMAIN.
func (s *Server) answer(m *dnsmessage.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Response, m.Additionals = true, nil
	name := m.Questions[0].Name
	class := func(name dnsmessage.Name) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 1}
	}
	if value, ok := s.texts[strings.ToLower(name.String())]; ok && m.Questions[0].Type == dnsmessage.TypeTXT {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: class(name), Body: &dnsmessage.TXTResource{TXT: []string{value}}})
		return
	}
	target, ok := s.aliases[strings.ToLower(name.String())]
	if !ok || s.remaining == 0 {
		m.RCode = dnsmessage.RCodeNameError
		return
	}
	s.remaining--
	alias := dnsmessage.MustNewName(target)
	m.Answers = append(m.Answers, dnsmessage.Resource{Header: class(name), Body: &dnsmessage.CNAMEResource{CNAME: alias}})
	if m.Questions[0].Type == dnsmessage.TypeA {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: class(alias), Body: &dnsmessage.AResource{A: s.address}})
	}
}
