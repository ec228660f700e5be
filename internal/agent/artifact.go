package agent

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jeton-dev/jeton/internal/agent/parcel"
	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// order passes an order to the launcher. The artifact of a function is unpacked first: unlike the
// agent, the container of the function has a CPU limit, which the start of the function needs. The
// launcher still waits for its order, so that no code of the function runs meanwhile.
func (a *agent) order(node *wire.Conn, payload []byte) error {
	task, err := wire.DecodeTask(payload)
	if err != nil {
		return err
	}
	if task.Build || a.config.Home == "" {
		return a.launcher.Send(wire.Order, payload)
	}
	stops, err := a.unpack(node)
	if err != nil {
		// If the node has ended, nothing receives this.
		_ = node.SendJSON(wire.Exited, wire.Exit{Failure: err.Error()})
		return err
	}
	task.Unpacked = true
	if err := a.launcher.SendJSON(wire.Order, task); err != nil {
		return err
	}
	for _, kind := range stops {
		if err := a.launcher.Send(kind, nil); err != nil {
			return err
		}
	}
	return nil
}

// unpack unpacks the archive that follows an order. It returns the frames that stop the function,
// which the launcher must receive after the order.
func (a *agent) unpack(node *wire.Conn) (stops []wire.Kind, err error) {
	archive := wire.NewArchive(node, func(kind wire.Kind, _ []byte) error {
		switch kind {
		case wire.Ping:
			return nil
		case wire.Terminate, wire.Kill:
			stops = append(stops, kind)
			return nil
		}
		return fmt.Errorf("unexpected frame %q of the node", byte(kind))
	})
	err = parcel.Unpack(context.Background(), patient{node, archive, a.config.Silence}, a.config.Home, parcel.DefaultLimits)
	return stops, err
}

// A patient reader fails if the node sends nothing for too long.
type patient struct {
	node *wire.Conn
	io.Reader
	silence time.Duration
}

// Read implements io.Reader.
func (p patient) Read(b []byte) (int, error) {
	if err := p.node.SetReadDeadline(time.Now().Add(p.silence)); err != nil {
		return 0, err
	}
	return p.Reader.Read(b)
}
