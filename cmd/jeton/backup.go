package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jeton-dev/jeton/internal/backup"
	"github.com/jeton-dev/jeton/internal/server"
)

// backupCommand writes a backup. The server may run meanwhile.
type backupCommand struct {
	File       string `arg:"" help:"The file to write, which must not be there yet, or - for the standard output."`
	WithoutKey bool   `help:"Leave out the key of the sealed values. Keep secret.key of the data folder elsewhere then: without it no backup is of use, and with it every secret can be read."`
}

// Run writes the file, which nobody but its owner can read.
func (c *backupCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	options := backup.Options{WithoutKey: c.WithoutKey, Now: time.Now()}
	if c.File == "-" {
		return backup.Write(ctx, line.DataDir, s.out, options)
	}
	file, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	err = backup.Write(ctx, line.DataDir, file, options)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(c.File))
	}
	fmt.Fprintln(s.err, "jeton: the backup is in", c.File)
	return nil
}

// restoreCommand makes a data folder of a backup.
type restoreCommand struct {
	File string `arg:"" help:"The backup, or - for the standard input."`
}

// Run unpacks the file into the data folder, which must not be there yet.
func (c *restoreCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	in := s.in
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		defer file.Close()
		in = file
	}
	if err := backup.Restore(ctx, in, line.DataDir); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "jeton: restored to", line.DataDir)
	if missing := server.MissingKey(line.DataDir); missing != "" {
		fmt.Fprintln(s.err, "jeton: the backup was made without the key of the sealed values: put that at", missing)
	}
	return nil
}
