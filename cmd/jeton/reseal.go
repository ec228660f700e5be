package main

import (
	"context"
	"strconv"

	"github.com/jeton-dev/jeton/internal/admin"
)

// resealCommand seals all values with the first key of the file.
type resealCommand struct{ outputFlags }

// Help implements kong.HelpProvider.
func (*resealCommand) Help() string {
	return "To replace the sealing key: add the new key below the current one in the file of every server, and wait until all have read it; move it to the first line; run this command until it prints 0; remove the earlier key. See docs/cluster.md."
}

// Run prints how many values were sealed with another key.
func (c *resealCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	resealed, err := callAdmin(line.DataDir, "reseal", func(client *admin.Client) (admin.Resealed, error) {
		return client.Reseal(ctx)
	})
	if err != nil {
		return err
	}
	return c.printObject(s.out, resealed, [][2]string{{"resealed", strconv.Itoa(resealed.Count)}})
}
