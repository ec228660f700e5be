package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/backup"
	"github.com/jeton-dev/jeton/internal/server"
)

// backupCommand writes a backup. The server may be running.
type backupCommand struct {
	File       string `arg:"" help:"File to create; it must not exist. - stands for standard output."`
	Blobs      string `help:"S3 bucket of the server; refused: see docs/s3.md." placeholder:"URL"`
	Database   string `help:"PostgreSQL database of the server; refused: use pg_dump." placeholder:"URL"`
	WithoutKey bool   `help:"Leave out secret.key, the key that encrypts the secrets."`
}

// Help implements kong.HelpProvider.
func (*backupCommand) Help() string {
	return "With --without-key, keep a copy of secret.key in another place: a restored server needs it, and both together reveal all secrets."
}

// errPostgreSQL is returned for a data directory whose database is not in it.
var errPostgreSQL = errors.New("backup: the objects are in a PostgreSQL database: back it up with pg_dump, and then copy the data directory; see docs/postgresql.md")

// errBucket is returned for a server whose archives and artifacts are in a bucket.
var errBucket = errors.New("backup: the archives and artifacts are in an S3 bucket: copy the data directory and the bucket; see docs/s3.md")

// Run writes the file with mode 0600.
func (c *backupCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if c.Database != "" || server.UsesPostgreSQL(line.DataDir) {
		return errPostgreSQL
	}
	if c.Blobs != "" {
		return errBucket
	}
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
	fmt.Fprintln(s.err, "jeton: wrote backup to", c.File)
	return nil
}

// restoreCommand creates a data directory from a backup.
type restoreCommand struct {
	File     string `arg:"" help:"Backup file; - stands for standard input."`
	Database string `help:"Empty PostgreSQL database for the objects (with --blobs)." placeholder:"URL"`
	Blobs    string `help:"Empty S3 prefix for the code of functions (with --database)." placeholder:"URL"`
}

// Help implements kong.HelpProvider.
func (*restoreCommand) Help() string {
	return "With --database and --blobs, the command loads the backup of a single server into the storage of a cluster, and creates the data directory of the first node. Stop the single server before the backup: what it does afterwards is not in the cluster. See docs/cluster.md."
}

// Run unpacks the file into the data directory, which must not exist.
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
	if c.Database != "" || c.Blobs != "" {
		return c.toCluster(ctx, in, line.DataDir, s)
	}
	if err := backup.Restore(ctx, in, line.DataDir); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "jeton: restored to", line.DataDir)
	if missing := server.MissingKey(line.DataDir); missing != "" {
		fmt.Fprintln(s.err, "jeton: the backup contains no secret.key: copy it to", missing)
	}
	explainCredentials(line.DataDir, s)
	return nil
}

// explainCredentials prints how to create credentials, which no backup contains.
func explainCredentials(dataDir string, s streams) {
	path := server.CredentialsPath(dataDir)
	if _, err := os.Stat(path); err == nil {
		fmt.Fprintf(s.err, "jeton: %s may be of another server: 'jeton apikey list' fails then\n", path)
		return
	}
	fmt.Fprintf(s.err, "jeton: the backup contains no secret keys. API keys that you have still work. For a new one, start the server, then:\n"+
		"  jeton apikey create --organization --permissions FunctionsFullAccess --save %s\n", path)
}

// toCluster loads the backup into a database and a bucket.
func (c *restoreCommand) toCluster(ctx context.Context, in io.Reader, dataDir string, s streams) error {
	config := server.DefaultConfig(dataDir)
	config.Database, config.Blobs = c.Database, c.Blobs
	restored, err := server.RestoreToCluster(ctx, config, in)
	if err != nil {
		return err
	}
	key := filepath.Join(dataDir, "secret.key")
	fmt.Fprintf(s.err, "jeton: restored %d objects, %d archives and %d artifacts\n", restored.Objects, restored.Archives, restored.Artifacts)
	fmt.Fprintf(s.err, "jeton: %s is the data directory of the first node: start it with the same --database and --blobs\n", dataDir)
	fmt.Fprintf(s.err, "jeton: copy %s to the empty data directory of every other node before its first start: it decrypts the secrets\n", key)
	explainCredentials(dataDir, s)
	return nil
}
