package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// pollInterval is the time between two reads of the head row without a notification.
const pollInterval = time.Second

// listen makes the followers apply the changes of other processes until ctx ends. A
// notification wakes it; it also reads the head row every poll.
func (s *Store) listen(ctx context.Context, config *pgx.ConnConfig) {
	var conn *pgx.Conn
	failing := false
	for ctx.Err() == nil {
		var err error
		if conn == nil {
			conn, err = connectListener(ctx, config)
		}
		if conn != nil {
			err = s.await(ctx, conn)
			if conn.IsClosed() {
				conn = nil
			}
		} else if err != nil {
			sleep(ctx, s.poll)
		}
		// Without notifications, the changes are still read every poll.
		err = errors.Join(err, s.catchUp(ctx))
		if ctx.Err() == nil && (err != nil) != failing {
			if failing = err != nil; failing {
				s.log.Warn("cannot follow the changes in the database: trying again", "error", s.explain(err))
			} else {
				s.log.Info("following the changes in the database again")
			}
		}
	}
	if conn != nil {
		closeConn(conn)
	}
}

// connectListener returns a connection that receives notifications.
func connectListener(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// await returns when another store has made a change, or after poll.
func (s *Store) await(ctx context.Context, conn *pgx.Conn) error {
	short, cancel := context.WithTimeout(ctx, s.poll)
	defer cancel()
	for {
		note, err := conn.WaitForNotification(short)
		if err != nil {
			if short.Err() != nil && !conn.IsClosed() {
				return nil
			}
			return err
		}
		// The changes of this store are applied before their Update returns.
		if note.Payload != s.instance && !s.deaf {
			return nil
		}
	}
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// sleep waits for a time or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
