package kubernetes

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jeton-dev/jeton/internal/agent/parcel"
	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// A Build is one build in a Pod of its own.
type Build struct {
	// Language selects the image; Runtime and Handler are those of the function.
	Language, Runtime, Handler string
	// Env has the variables that say where downloads come from, and Crates replaces crates.io.
	Env    []string
	Crates string
	// Source is the folder of the code, and Output an empty folder for the result.
	Source, Output string
	// Download runs a step that waits for the network, and returns its error; nil calls it directly.
	Download func(ctx context.Context, step func(context.Context) error) error
	// Cache is a folder of this machine that speeds up later builds of the same project. The Pod gets a
	// copy, and a successful build returns what it has changed. Empty means none.
	Cache string
	// Log receives the output of the tools.
	Log io.Writer
}

// A BuildError is the error of a build that the author of the code can correct.
type BuildError struct{ Message string }

// Error returns the message.
func (e *BuildError) Error() string { return e.Message }

// Build builds in a new Pod, and returns how to launch the result, as JSON. Returns a *BuildError for
// errors in the code. The Pod ends with ctx.
func (e *Engine) Build(ctx context.Context, b Build) (launch []byte, err error) {
	k := kind{component: ComponentBuild, language: b.Language, memory: e.config.BuildMemory, cpu: e.config.BuildCPU}
	s, err := e.open(ctx, k, func(text string) { fmt.Fprintln(b.Log, text) })
	if err != nil {
		return nil, fmt.Errorf("build in a Pod: %w", err)
	}
	defer e.discard(s)
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer stop()
	result := &downloads{parts: []*download{newDownload(ctx, b.Output)}}
	received := ""
	if b.Cache != "" {
		if received, err = e.caches.receive(b.Cache); err != nil {
			return nil, errors.Join(err, result.end())
		}
		defer func() { _ = os.RemoveAll(received) }() // Its folders are those of parcel.Unpack.
		result.parts = append(result.parts, newDownload(ctx, received))
	}
	fetches := &steps{session: s, run: b.Download}
	s.bind(func(kind wire.Kind, payload []byte) error {
		switch kind {
		case wire.Stdout, wire.Stderr:
			_, err := b.Log.Write(payload)
			return err
		case wire.Fetching:
			return fetches.begin(ctx)
		case wire.Fetched:
			return fetches.end()
		}
		return result.accept(kind, payload)
	})
	if err = e.sendBuild(ctx, s, b); err != nil {
		_ = s.conn.Close()
	}
	<-s.ended
	unpacked := result.end()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	launch, err = e.buildResult(s, k, errors.Join(err, unpacked))
	if err == nil && received != "" {
		if err := e.caches.keep(ctx, b.Cache, received); err != nil {
			e.config.Log.Warn("the next build of the project has an older cache", "error", err)
		}
	}
	return launch, err
}

// sendBuild sends the order of a build, its source and its cache.
func (e *Engine) sendBuild(ctx context.Context, s *session, b Build) error {
	task := wire.Task{Build: true, Runtime: b.Runtime, Handler: b.Handler, Env: b.Env, Crates: b.Crates, Cache: b.Cache != ""}
	err := s.conn.SendJSON(wire.Order, task)
	if err == nil {
		err = s.conn.SendArchive(func(w io.Writer) error { return parcel.Pack(ctx, b.Source, w) })
	}
	if err == nil && task.Cache {
		err = s.conn.SendArchive(func(w io.Writer) error { return e.caches.send(ctx, b.Cache, w) })
	}
	return err
}

// buildResult returns the launch of an ended build, or its error. Transfer is the error of sending the
// source or receiving the result.
func (e *Engine) buildResult(s *session, k kind, transfer error) ([]byte, error) {
	memory := &BuildError{fmt.Sprintf("the build used more than %d MB of memory", k.memory)}
	switch exit := s.exit; {
	case exit == nil:
		reason, outOfMemory := e.lost(s)
		if outOfMemory {
			return nil, memory
		}
		return nil, fmt.Errorf("build in Pod %s: %w", s.name, errors.Join(errors.New(reason), transfer))
	case exit.OutOfMemory && exit.Launch == nil:
		return nil, memory
	case exit.BuildError != "":
		return nil, &BuildError{exit.BuildError}
	case exit.Failure != "":
		return nil, fmt.Errorf("build in Pod %s: %s", s.name, exit.Failure)
	case transfer != nil:
		return nil, fmt.Errorf("build in Pod %s: %w", s.name, transfer)
	}
	return s.exit.Launch, nil
}

// downloads are the archives that a launcher sends, one after the other.
type downloads struct{ parts []*download }

func (d *downloads) accept(kind wire.Kind, payload []byte) error {
	for _, part := range d.parts {
		if !part.complete {
			return part.accept(kind, payload)
		}
	}
	return fmt.Errorf("unexpected frame %q of a build", byte(kind))
}

// end returns the errors of unpacking.
func (d *downloads) end() (err error) {
	for _, part := range d.parts {
		err = errors.Join(err, part.end())
	}
	return err
}

// A download unpacks the archive that a launcher sends.
type download struct {
	writer *io.PipeWriter
	sum    interface {
		io.Writer
		Sum(b []byte) []byte
	}
	begun    bool
	complete bool
	done     chan error
}

func newDownload(ctx context.Context, dir string) *download {
	reader, writer := io.Pipe()
	d := &download{writer: writer, sum: sha256.New(), done: make(chan error, 1)}
	go func() {
		err := parcel.Unpack(ctx, reader, dir, parcel.DefaultLimits)
		_ = reader.CloseWithError(err)
		d.done <- err
	}()
	return d
}

func (d *download) accept(kind wire.Kind, payload []byte) error {
	if d.complete || kind != wire.Part && kind != wire.Digest {
		return fmt.Errorf("unexpected frame %q of a build", byte(kind))
	}
	d.begun = true
	if kind == wire.Digest {
		if !bytes.Equal(payload, d.sum.Sum(nil)) {
			return errors.New("the digest of the result is wrong")
		}
		d.complete = true
		return d.writer.Close()
	}
	_, _ = d.sum.Write(payload) // A hash returns no error.
	_, err := d.writer.Write(payload)
	return err
}

// end returns the error of unpacking; nil if nothing was received.
func (d *download) end() error {
	if !d.complete {
		_ = d.writer.CloseWithError(io.ErrUnexpectedEOF)
	}
	if err := <-d.done; d.begun {
		return err
	}
	return nil
}
