package escape

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// A Bait is what the programs try to reach: a file, a folder, a process and
// sockets of this machine.
type Bait struct {
	dir     string
	closers []io.Closer
	query   url.Values
}

// The limits that the programs try to pass, for functions of 256 MB: the processes
// that they start, and the MiB that they write, to a disk of 1024, and take.
const (
	forks  = 400
	disk   = 1100
	memory = 600
)

// NewBait opens the sockets in a folder with a short path. The file and the folder
// are the server's, api is where it listens for the API, and pid is its process.
func NewBait(dir, file, code, api string, pid int) (*Bait, error) {
	b := &Bait{dir: dir, query: url.Values{
		"file": {file}, "code": {code}, "tcp": {api}, "pid": {strconv.Itoa(pid)},
		"forks": {strconv.Itoa(forks)}, "disk": {strconv.Itoa(disk)}, "memory": {strconv.Itoa(memory)},
	}}
	host, err := hostAddress()
	if err != nil {
		return nil, err
	}
	if err := b.listen(host); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Bait) listen(host string) error {
	path, abstract := filepath.Join(b.dir, "bait.sock"), "jeton-bait-"+filepath.Base(b.dir)
	tcp, err := net.Listen("tcp4", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	udp, err := net.ListenPacket("udp4", net.JoinHostPort(host, "0"))
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	b.closers = append(b.closers, tcp, udp)
	go serve(tcp)
	go serveDatagrams(udp)
	for _, name := range []string{path, "@" + abstract} {
		l, err := net.Listen("unix", name)
		if err != nil {
			return err
		}
		b.closers = append(b.closers, l)
		go serve(l)
	}
	b.query.Set("host", tcp.Addr().String())
	b.query.Set("udp", udp.LocalAddr().String())
	b.query.Set("path", path)
	b.query.Set("abstract", abstract)
	return os.Chmod(path, 0o777)
}

// Query tells the programs where everything is.
func (b *Bait) Query() string { return b.query.Encode() }

// Close takes the sockets away.
func (b *Bait) Close() error {
	var err error
	for _, c := range b.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}

// hostAddress is an address of this machine by which others reach it, if it has
// one.
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
