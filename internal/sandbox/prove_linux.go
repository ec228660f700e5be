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

// probeLimits are those under which the probe runs: small, so that it meets them
// soon. enoughMemory is what it has where it is not to meet that limit.
var probeLimits = Limits{Memory: 64 << 20, CPU: 1000, Processes: 24, Temporary: 1 << 20}

const enoughMemory = 512 << 20

// unlimited are the layers that a level without namespaces does not have.
var unlimited = []string{layerForks, layerTemporary, layerUser}

// probeProgram is where the probe finds itself.
const probeProgram = "/opt/jeton-probe"

// Prove starts a probe that tries to get out of a sandbox, and one that takes
// more memory than it may, and reports what they could do. It returns an error
// only if they could not be run.
func (h *Host) Prove(ctx context.Context) (Report, error) { return h.ProveWithout(ctx, "") }

// ProveWithout does as Prove does, in sandboxes that lack one layer, by its name
// in a report: it must notice. Nothing but the probes ever runs in such a sandbox.
func (h *Host) ProveWithout(ctx context.Context, layer string) (Report, error) {
	var memory string
	var memoryErr error
	var probing sync.WaitGroup
	if h.level == Full {
		probing.Go(func() { memory, memoryErr = h.proveMemory(ctx, layer) })
	}
	failures, err := h.proveWalls(ctx, layer)
	probing.Wait()
	if err = errors.Join(err, memoryErr); err != nil {
		return nil, fmt.Errorf("test of isolation level %s: %w", h.level, err)
	}
	var report Report
	for _, name := range walls {
		if !h.level.namespaced() && slices.Contains(unlimited, name) {
			continue
		}
		report = append(report, Layer{name, failures[name]})
	}
	if h.level == Full {
		report = append(report, Layer{layerMemory, memory})
	}
	return report, nil
}

// bait is what the probe tries to reach.
type bait struct {
	dir  string
	tcp  net.Listener
	udp  net.PacketConn
	unix net.Listener
	path net.Listener
}

func layBait() (_ *bait, err error) {
	b := &bait{}
	defer func() {
		if err != nil {
			b.remove()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "jeton-probe-"); err != nil {
		return nil, err
	}
	err = errors.Join(os.Chmod(b.dir, 0o755), os.WriteFile(b.file(), []byte("secret"), 0o644))
	if err != nil {
		return nil, err
	}
	if b.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if b.udp, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if b.unix, err = net.Listen("unix", "@"+filepath.Base(b.dir)); err != nil {
		return nil, err
	}
	if b.path, err = net.Listen("unix", filepath.Join(b.dir, "socket")); err != nil {
		return nil, err
	}
	return b, os.Chmod(filepath.Join(b.dir, "socket"), 0o777)
}

func (b *bait) file() string { return filepath.Join(b.dir, "file") }

// heard tells whether a datagram came through.
func (b *bait) heard() bool {
	_ = b.udp.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, _, _ := b.udp.ReadFrom(make([]byte, 64))
	return n > 0
}

func (b *bait) remove() {
	for _, l := range []net.Listener{b.tcp, b.unix, b.path} {
		if l != nil {
			_ = l.Close()
		}
	}
	if b.udp != nil {
		_ = b.udp.Close()
	}
	_ = os.RemoveAll(b.dir)
}

func (h *Host) proveWalls(ctx context.Context, without string) (map[string]string, error) {
	b, err := layBait()
	if err != nil {
		return nil, err
	}
	defer b.remove()
	out, end, err := h.runProbe(ctx, without, questions{
		Level: h.level, File: b.file(), TCP: b.tcp.Addr().String(), UDP: b.udp.LocalAddr().String(),
		Abstract: b.unix.Addr().String(), Path: b.path.Addr().String(), Process: os.Getpid(), Temporary: probeLimits.Temporary, Processes: DefaultProcesses,
	})
	if err != nil {
		return nil, err
	}
	var failures map[string]string
	if err := json.Unmarshal(out, &failures); err != nil {
		return nil, fmt.Errorf("the probe answered %.200q and ended with %v", out, end.State)
	}
	if b.heard() {
		failures[layerNetwork] = "a UDP port of the machine can be reached"
	}
	return failures, nil
}

func (h *Host) proveMemory(ctx context.Context, without string) (failure string, err error) {
	out, end, err := h.runProbe(ctx, without, questions{Level: h.level, Memory: 2 * probeLimits.Memory})
	switch {
	case err != nil:
		return "", err
	case !end.OutOfMemory || len(out) > 0:
		return fmt.Sprintf("more memory than the limit can be had (%v)", end.State), nil
	}
	return "", nil
}

// runProbe runs the program itself as a probe, and returns what it printed.
func (h *Host) runProbe(ctx context.Context, without string, q questions) ([]byte, End, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, End{}, err
	}
	question, err := json.Marshal(q)
	if err != nil {
		return nil, End{}, err
	}
	var out, complaint bytes.Buffer
	layout := Layout{
		Visible: SystemFolders(), Placed: map[string]string{program: probeProgram}, Temporary: probeLimits.Temporary,
		Stdout: &out, Stderr: &complaint,
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
		limits.Memory = buildMemory
	case q.Memory == 0:
		limits.Memory = enoughMemory
	}
	if without == layerForks {
		limits.Processes = 2 * DefaultProcesses
	}
	err = errors.Join(s.Limit(limits), s.Become(p))
	if err != nil {
		s.Kill()
	}
	end := s.Wait()
	if err == nil && complaint.Len() > 0 && out.Len() == 0 && !end.OutOfMemory {
		err = errors.New(strings.TrimSpace(complaint.String()))
	}
	return out.Bytes(), end, errors.Join(err, ctx.Err())
}
