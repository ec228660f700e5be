package script

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// checkTimeout is the maximum time of the syntax check of one file.
const checkTimeout = time.Minute

// A Checker describes how an interpreter checks the syntax of a file without running it.
type Checker struct {
	// Arguments precede the path of the file.
	Arguments []string
	// Lines is the number of lines of the interpreter's output that users see.
	Lines int
}

// Check checks the syntax of a file of the source. Returns a *runtime.BuildError for
// syntax errors.
func (c Checker) Check(ctx context.Context, t runtime.Toolchain, build runtime.Build, file string) error {
	out, err := tool.Run(ctx, tool.Command{
		Args:      slices.Concat([]string{t.Path}, c.Arguments, []string{filepath.Join(build.Source, filepath.FromSlash(file))}),
		Dir:       build.Source,
		Readable:  []string{build.Source},
		Isolation: t.Isolation,
		Log:       build.Log,
		Timeout:   checkTimeout,
	})
	var failure *tool.Failure
	if errors.As(err, &failure) {
		return runtime.Failf("the code has a syntax error:\n%s", tool.Excerpt(out, c.Lines, "file://"+build.Source+"/", build.Source+"/"))
	}
	if err != nil {
		return fmt.Errorf("check %s: %w", file, err)
	}
	return nil
}
