package e2e_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jeton-dev/jeton/test/jetontest"
)

// An outside is a server of the test that functions connect to, whatever engine runs them: the test
// sees which instances exist and what they do, and answers them. With the engine of processes it needs
// seenFromOutside.
type outside struct {
	t       *testing.T
	address *net.TCPAddr

	mu sync.Mutex
	// met counts the connections by name, and open has those that exist: as name and number.
	met   map[string]int
	open  map[string]bool
	conns []net.Conn
	// word is the answer to connections, after their number.
	word     string
	released bool
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	listener := must[net.Listener](t)(net.Listen("tcp", net.JoinHostPort(jetontest.HostAddress(t), "0")))
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("the listener has the address %v", listener.Addr())
	}
	o := &outside{t: t, address: address, met: map[string]int{}, open: map[string]bool{}, word: "hello"}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go o.serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		o.release()
	})
	return o
}

// serveOutside serves HTTP at an address that functions and builds reach, and returns the URL.
func serveOutside(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	_ = server.Listener.Close()
	server.Listener = must[net.Listener](t)(net.Listen("tcp", net.JoinHostPort(jetontest.HostAddress(t), "0")))
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// serve reads the name of a connection, answers with its number and the word, and waits for its end.
func (o *outside) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	name, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	name = strings.TrimSpace(name)
	o.mu.Lock()
	o.met[name]++
	id := name + " " + strconv.Itoa(o.met[name])
	o.open[id] = true
	o.conns = append(o.conns, conn)
	fmt.Fprintf(conn, "%d %s\n", o.met[name], o.word)
	if o.released {
		fmt.Fprintln(conn, "released")
	}
	o.mu.Unlock()
	_, _ = reader.ReadByte() // The function sends nothing more.
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, id)
}

// python returns the start of a Python function. Its function meet connects with a name and returns
// an object with the number of the connection among those of the name, with the test's word, and with
// a method wait, which returns after release. The connection exists as long as the object.
func (o *outside) python() string {
	return fmt.Sprintf(`import socket

class meet:
    def __init__(self, name):
        self.connection = socket.create_connection((%q, %d))
        self.connection.sendall((name + "\n").encode())
        self.lines = self.connection.makefile()
        self.number, self.word = self.lines.readline().split()

    def wait(self):
        self.lines.readline()

`, o.address.IP, o.address.Port)
}

// handler returns a Python function that can call meet. Each instance stays connected as "instance".
func (o *outside) handler(lines ...string) map[string]string {
	return map[string]string{"handler.py": o.python() + "instance = meet('instance')\n\n" + pythonHandler(lines...)["handler.py"]}
}

// say sets the word that later connections receive.
func (o *outside) say(word string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.word = word
}

// release ends all waits.
func (o *outside) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.released = true
	for _, conn := range o.conns {
		_, _ = fmt.Fprintln(conn, "released") // It may be closed.
	}
}

// count returns how many connections with a name there were.
func (o *outside) count(name string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.met[name]
}

// alive reports whether the instance with a number exists.
func (o *outside) alive(number string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open["instance "+number]
}
