package escape

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Targets are what the programs try to reach: a file, the code of another function, a
// process and sockets of this machine.
type Targets struct {
	dir     string
	closers []io.Closer
	query   url.Values
}

// The amounts that the programs try to use, above the limits of functions with 256 MB:
// processes, MiB on a disk of 1024, and MiB of memory.
const (
	forks  = 400
	disk   = 1100
	memory = 600
)

// A Server is the server that the programs attack.
type Server struct {
	DataDir, APIURL string
	PID             int
}

// NewTargets opens the sockets in dir, which must have a short path. victimID is a
// deployed function of the server: its code is a target.
func NewTargets(dir string, s Server, victimID string) (*Targets, error) {
	code, err := filepath.Glob(filepath.Join(s.DataDir, "artifacts", victimID, "*"))
	if err != nil || len(code) == 0 {
		return nil, fmt.Errorf("find the code of function %s: got %v, %w", victimID, code, err)
	}
	t := &Targets{dir: dir, query: url.Values{
		"file": {filepath.Join(s.DataDir, "jeton.db")}, "code": {code[0]}, "tcp": {strings.TrimPrefix(s.APIURL, "http://")}, "pid": {strconv.Itoa(s.PID)},
		"forks": {strconv.Itoa(forks)}, "disk": {strconv.Itoa(disk)}, "memory": {strconv.Itoa(memory)},
	}}
	host, err := hostAddress()
	if err != nil {
		return nil, err
	}
	if err := t.listen(host); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Targets) listen(host string) error {
	path, abstract := filepath.Join(t.dir, "target.sock"), "jeton-target-"+filepath.Base(t.dir)
	tcp, err := net.Listen("tcp4", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	udp, err := net.ListenPacket("udp4", net.JoinHostPort(host, "0"))
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	t.closers = append(t.closers, tcp, udp)
	go serve(tcp)
	go serveDatagrams(udp)
	for _, name := range []string{path, "@" + abstract} {
		l, err := net.Listen("unix", name)
		if err != nil {
			return err
		}
		t.closers = append(t.closers, l)
		go serve(l)
	}
	t.query.Set("host", tcp.Addr().String())
	t.query.Set("udp", udp.LocalAddr().String())
	t.query.Set("path", path)
	t.query.Set("abstract", abstract)
	return os.Chmod(path, 0o777)
}

// Close closes the sockets.
func (t *Targets) Close() error {
	var err error
	for _, c := range t.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}

// hostAddress returns an address by which other machines reach this one, or 127.0.0.1 if
// it has none.
func hostAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && network.IP.IsGlobalUnicast() {
			return network.IP.String(), nil
		}
	}
	return "127.0.0.1", nil
}

func serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}()
	}
}

func serveDatagrams(l net.PacketConn) {
	datagram := make([]byte, 64)
	for {
		n, from, err := l.ReadFrom(datagram)
		if err != nil {
			return
		}
		_, _ = l.WriteTo(datagram[:n], from)
	}
}
