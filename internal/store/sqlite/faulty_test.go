package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"

	"modernc.org/sqlite"
)

var (
	errDisk   = errors.New("the disk failed")
	errLookUp = errors.New("the file cannot be read")
)

// A faultyDriver is the real driver with commits and queries that can be made to fail.
type faultyDriver struct {
	sqlite.Driver

	// afterCommit makes each commit succeed and return an error, instead makes it
	// roll back and return an error.
	afterCommit, instead atomic.Bool
	// unreadable makes every query of a reading connection fail.
	unreadable atomic.Bool
}

// register registers the driver, and returns its name.
func (d *faultyDriver) register(name string) string {
	name = "faulty " + name
	sql.Register(name, d)
	return name
}

// Open implements driver.Driver.
func (d *faultyDriver) Open(name string) (driver.Conn, error) {
	conn, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	return &faultyConn{realConn: conn.(realConn), driver: d, reads: strings.Contains(name, "query_only")}, nil
}

// realConn is the interface of a connection of the real driver.
type realConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

type faultyConn struct {
	realConn

	driver *faultyDriver
	// reads reports that the connection is for reading only.
	reads bool
}

// BeginTx implements driver.ConnBeginTx.
func (c *faultyConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := c.realConn.BeginTx(ctx, options)
	return faultyTx{tx, c.driver}, err
}

// QueryContext implements driver.QueryerContext.
func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.reads && c.driver.unreadable.Load() {
		return nil, errLookUp
	}
	return c.realConn.QueryContext(ctx, query, args)
}

type faultyTx struct {
	driver.Tx

	driver *faultyDriver
}

// Commit implements driver.Tx.
func (t faultyTx) Commit() error {
	if t.driver.instead.Load() {
		return errors.Join(errDisk, t.Rollback())
	}
	err := t.Tx.Commit()
	if t.driver.afterCommit.Load() {
		err = errors.Join(errDisk, err)
	}
	return err
}
