package tool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/sandbox"
)

const (
	// memory is what one tool may take: linkers take much.
	memory = 4 << 30
	// processes is how many processes and threads a tool may have at once, and
	// temporary the size of its /tmp, in bytes. Builds keep what is large in folders
	// of their own.
	processes = 1024
	temporary = 256 << 20
)

// Walls are where tools run when they are isolated.
type Walls struct {
	Host *sandbox.Host
	// Visible are the folders of the toolchains, beside those of the system.
	Visible []string
	// Egress says what those tools reach that download; nil for nothing.
	Egress *egress.Policy
}

// versionControl are programs that run what a folder's own settings name, and the
// folders beside those of PATH that have them.
var (
	versionControl        = strings.Fields("git git-shell git-upload-pack git-receive-pack git-upload-archive scalar git-lfs hg chg svn svnadmin svnserve bzr brz cvs fossil darcs jj sl pijul p4 svk mtn tla")
	versionControlFolders = []string{"/usr/bin", "/bin", "/usr/local/bin", "/usr/lib/git-core", "/usr/libexec/git-core", "/usr/local/libexec/git-core"}
)

// hidden are the programs for version control of this machine.
func hidden() []string {
	var paths []string
	for _, dir := range slices.Concat(versionControlFolders, filepath.SplitList(os.Getenv("PATH"))) {
		for _, name := range versionControl {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}

// run runs the tool in a sandbox.
func (w *Walls) run(ctx context.Context, c Command, output *tail) (string, error) {
	for _, dir := range c.Writable {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", fmt.Errorf("run %s: %w", c.Args[0], err)
		}
	}
	layout := sandbox.Layout{
		Visible: slices.Concat(sandbox.SystemFolders(), w.Visible), Readable: c.Readable, Writable: c.Writable,
		Hidden: hidden(), Temporary: temporary, Processes: processes, Stdout: output, Stderr: output,
	}
	downloads := c.Network && w.Egress != nil && w.Host.CanMountCode()
	if downloads {
		layout.Resolver = egress.ResolverAddress
	}
	s, err := w.Host.Start(ctx, layout)
	if err != nil {
		return "", errors.Join(context.Cause(ctx), fmt.Errorf("run %s: %w", c.Args[0], err))
	}
	stop := context.AfterFunc(ctx, s.Kill)
	defer stop()
	if downloads {
		link, err := egress.Attach(s.Network(), w.Egress)
		if err != nil {
			s.Kill()
			_ = s.Wait() // It was killed, which is no news.
			return "", fmt.Errorf("run %s: %w", c.Args[0], err)
		}
		defer func() { _ = link.Close() }()
	}
	err = errors.Join(
		s.Limit(sandbox.Limits{Memory: memory, Processes: processes}),
		s.Exec(sandbox.Program{
			Path: c.Args[0], Args: c.Args, Env: c.environment(), Dir: c.Dir, Profile: sandbox.Generic,
			Readable: slices.Concat(w.Visible, c.Readable), Writable: c.Writable,
		}),
	)
	if err != nil {
		s.Kill()
	}
	end := s.Wait()
	switch {
	case ctx.Err() != nil:
		return output.String(), context.Cause(ctx)
	case err != nil:
		return output.String(), fmt.Errorf("run %s: %w", c.Args[0], err)
	case end.OutOfMemory:
		return output.String(), &Failure{Output: output.String(), Status: fmt.Sprintf("took more memory than %d MiB", memory>>20)}
	case !end.State.Success():
		return output.String(), &Failure{Output: output.String(), Status: end.State.String()}
	}
	return output.String(), nil
}
