package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// probeLimits are the limits of the probes, small so that they reach them soon.
// enoughMemory is the memory limit of the probe that tests the other layers, in bytes.
var probeLimits = Limits{Memory: 64 << 20, CPU: 1000, Processes: 24, Temporary: 1 << 20}

const enoughMemory = 512 << 20

// namespacedLayers are the layers that only levels with namespaces have.
var namespacedLayers = []string{layerForks, layerTemporary, layerUser}

// probeProgram is the path of the probe in its sandbox.
const probeProgram = "/opt/jeton-probe"

// Prove runs a probe that tries to escape from a sandbox, and at level Full one that
// allocates more memory than its limit, and reports which layers hold. The error is
// about running the probes only; Report.Err returns the layers that do not hold.
func (h *Host) Prove(ctx context.Context) (Report, error) { return h.ProveWithout(ctx, "") }

// ProveWithout does the same in sandboxes that lack one layer, to test that the probes
// detect it. layer is a name from Layers, or empty.
func (h *Host) ProveWithout(ctx context.Context, layer string) (Report, error) {
	var memory string
	var memoryErr error
	var probing sync.WaitGroup
	if h.level == Full {
		probing.Go(func() { memory, memoryErr = h.probeMemory(ctx, layer) })
	}
	failures, err := h.probeLayers(ctx, layer)
	probing.Wait()
	if err = errors.Join(err, memoryErr); err != nil {
		return nil, fmt.Errorf("test isolation level %s: %w", h.level, err)
	}
	var report Report
	for _, name := range probedLayers {
		if !h.level.namespaced() && slices.Contains(namespacedLayers, name) {
			continue
		}
		report = append(report, Layer{name, failures[name]})
	}
	if h.level == Full {
		report = append(report, Layer{layerMemory, memory})
	}
	return report, nil
}

// targets are a file and listeners of the server that the probe tries to reach.
type targets struct {
	dir  string
	tcp  net.Listener
	udp  net.PacketConn
	unix net.Listener
	path net.Listener
}

func newTargets() (_ *targets, err error) {
	t := &targets{}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.dir, err = os.MkdirTemp("", "jeton-probe-"); err != nil {
		return nil, err
	}
	err = errors.Join(os.Chmod(t.dir, 0o755), os.WriteFile(t.file(), []byte("secret"), 0o644))
	if err != nil {
		return nil, err
	}
	if t.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if t.udp, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if t.unix, err = net.Listen("unix", "@"+filepath.Base(t.dir)); err != nil {
		return nil, err
	}
	if t.path, err = net.Listen("unix", filepath.Join(t.dir, "socket")); err != nil {
		return nil, err
	}
	return t, os.Chmod(filepath.Join(t.dir, "socket"), 0o777)
}

func (t *targets) file() string { return filepath.Join(t.dir, "file") }

// receivedDatagram reports whether a datagram has arrived.
func (t *targets) receivedDatagram() bool {
	_ = t.udp.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, _, _ := t.udp.ReadFrom(make([]byte, 64))
	return n > 0
}

func (t *targets) close() {
	for _, l := range []net.Listener{t.tcp, t.unix, t.path} {
		if l != nil {
			_ = l.Close()
		}
	}
	if t.udp != nil {
		_ = t.udp.Close()
	}
	_ = os.RemoveAll(t.dir)
}

func (h *Host) probeLayers(ctx context.Context, without string) (map[string]string, error) {
	t, err := newTargets()
	if err != nil {
		return nil, err
	}
	defer t.close()
	out, end, err := h.runProbe(ctx, without, questions{
		Level: h.level, File: t.file(), TCP: t.tcp.Addr().String(), UDP: t.udp.LocalAddr().String(),
		Abstract: t.unix.Addr().String(), Path: t.path.Addr().String(), Process: os.Getpid(), Temporary: probeLimits.Temporary, Processes: DefaultProcesses,
	})
	if err != nil {
		return nil, err
	}
	var failures map[string]string
	if err := json.Unmarshal(out, &failures); err != nil {
		return nil, fmt.Errorf("decode answer of the probe: got %.200q, and the probe ended with %v", out, end.State)
	}
	if t.receivedDatagram() {
		failures[layerNetwork] = "a UDP port of the machine can be reached"
	}
	return failures, nil
}

func (h *Host) probeMemory(ctx context.Context, without string) (failure string, err error) {
	out, end, err := h.runProbe(ctx, without, questions{Level: h.level, Memory: 2 * probeLimits.Memory})
	switch {
	case err != nil:
		return "", err
	case !end.OutOfMemory || len(out) > 0:
		return fmt.Sprintf("more memory than the limit can be allocated (%v)", end.State), nil
	}
	return "", nil
}

// runProbe runs this program as a probe, and returns its output.
func (h *Host) runProbe(ctx context.Context, without string, q questions) ([]byte, End, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, End{}, err
	}
	question, err := json.Marshal(q)
	if err != nil {
		return nil, End{}, err
	}
	var out, stderr bytes.Buffer
	layout := Layout{
		Visible: SystemFolders(), Placed: map[string]string{program: probeProgram}, Temporary: probeLimits.Temporary,
		Stdout: &out, Stderr: &stderr,
	}
	switch without {
	case layerFiles:
		if q.File != "" {
			layout.Visible = append(layout.Visible, filepath.Dir(q.File))
		}
	case layerTemporary:
		layout.Temporary *= 4
	}
	s, err := h.start(ctx, layout, without)
	if err != nil {
		return nil, End{}, err
	}
	stop := context.AfterFunc(ctx, s.Kill)
	defer stop()
	p := Program{Path: probeProgram, Args: []string{probeName, string(question)}, Dir: "/", Profile: Go}
	if !h.level.namespaced() {
		p.Path, p.Readable = program, []string{filepath.Dir(program)}
	}
	limits := probeLimits
	switch {
	case without == layerMemory:
		limits.Memory = initialMemory
	case q.Memory == 0:
		limits.Memory = enoughMemory
	}
	if without == layerForks {
		limits.Processes = 2 * DefaultProcesses
	}
	err = errors.Join(s.Limit(limits), s.Exec(p))
	if err != nil {
		s.Kill()
	}
	end := s.Wait()
	if err == nil && stderr.Len() > 0 && out.Len() == 0 && !end.OutOfMemory {
		err = errors.New(strings.TrimSpace(stderr.String()))
	}
	return out.Bytes(), end, errors.Join(err, ctx.Err())
}
