package main

import (
	"context"
	"fmt"
	"io"

	"github.com/jeton-dev/jeton/internal/blob/s3"
)

// printBlobs puts, gets, lists and deletes an object in the bucket.
func (c *doctorCommand) printBlobs(ctx context.Context, out io.Writer) error {
	location, err := s3.ParseLocation(c.Blobs)
	if err == nil {
		err = s3.Check(ctx, location)
	}
	if err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	_, err = fmt.Fprintf(out, "Blobs\n  %v: ready: objects can be put, got, listed and deleted\n", location)
	return err
}
