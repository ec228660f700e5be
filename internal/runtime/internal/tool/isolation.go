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
	// memory is the memory in bytes that one tool may use. Linkers need much.
	memory = 4 << 30
	// processes is the number of processes and threads that a tool may have, and
	// temporary the size of its /tmp in bytes. Builds use other folders for large files.
	processes = 1024
	temporary = 256 << 20
)

// Isolation describes the sandboxes in which tools run.
type Isolation struct {
	Host *sandbox.Host
	// Visible has the folders of the toolchains. Those of the system are visible too.
	Visible []string
	// Egress is what downloading tools may reach; nil permits nothing.
	Egress *egress.Policy
}

// versionControl has the programs for version control, which tools must not run: they
// execute commands that the settings of a folder name. versionControlFolders has their
// folders in addition to those of PATH.
var (
	versionControl        = strings.Fields("git git-shell git-upload-pack git-receive-pack git-upload-archive scalar git-lfs hg chg svn svnadmin svnserve bzr brz cvs fossil darcs jj sl pijul p4 svk mtn tla")
	versionControlFolders = []string{"/usr/bin", "/bin", "/usr/local/bin", "/usr/lib/git-core", "/usr/libexec/git-core", "/usr/local/libexec/git-core"}
)

// hidden returns the paths of the programs for version control.
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
func (i *Isolation) run(ctx context.Context, c Command, output *tail) (string, error) {
	for _, dir := range c.Writable {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", fmt.Errorf("run %s: %w", c.Args[0], err)
		}
	}
	layout := sandbox.Layout{
		Visible: slices.Concat(sandbox.SystemFolders(), i.Visible), Readable: c.Readable, Writable: c.Writable,
		Hidden: hidden(), Temporary: temporary, Processes: processes, Stdout: output, Stderr: output,
	}
	downloads := c.Network && i.Egress != nil && i.Host.Connects() == nil
	if downloads {
		name, address, gateway := egress.OwnInterface()
		layout.Resolver, layout.Interface = egress.ResolverAddress, &sandbox.Interface{Name: name, Address: address, Gateway: gateway}
	}
	s, err := i.Host.Start(ctx, layout)
	if err != nil {
		return "", errors.Join(context.Cause(ctx), fmt.Errorf("run %s: %w", c.Args[0], err))
	}
	stop := context.AfterFunc(ctx, s.Kill)
	defer stop()
	if downloads {
		link, err := egress.Attach(s, i.Egress)
		if err != nil {
			s.Kill()
			_ = s.Wait() // Its only error is that it was killed.
			return "", fmt.Errorf("run %s: %w", c.Args[0], err)
		}
		defer func() { _ = link.Close() }()
	}
	err = errors.Join(
		s.Limit(sandbox.Limits{Memory: memory, Processes: processes}),
		s.Exec(sandbox.Program{
			Path: c.Args[0], Args: c.Args, Env: c.environment(), Dir: c.Dir, Profile: sandbox.Generic,
			Readable: slices.Concat(i.Visible, c.Readable), Writable: c.Writable,
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
		return output.String(), &Failure{Output: output.String(), Status: fmt.Sprintf("used more than %d MiB of memory", memory>>20)}
	case !end.State.Success():
		return output.String(), &Failure{Output: output.String(), Status: end.State.String()}
	}
	return output.String(), nil
}
