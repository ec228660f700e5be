package e2e_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// notInPods are the tests that run only with functions as processes of this machine, and why.
var notInPods = map[string]string{
	"TestHost_IsReachableAtAllowedPorts":      "Pods have no ports of the machine that runs the server: --egress-allow is refused",
	"TestBuilds_WithoutEgressDownloadNothing": "network policies restrict Pods: --egress=none is refused",
}

// TestMain runs the tests in the test cluster without those of notInPods, if JETON_TEST_ENGINE is
// kubernetes.
func TestMain(m *testing.M) {
	if jetontest.InPods() {
		names := slices.Sorted(maps.Keys(notInPods))
		for _, name := range names {
			fmt.Printf("not in Pods: %s: %s\n", name, notInPods[name])
		}
		if err := flag.Set("test.skip", "^("+strings.Join(names, "|")+")$"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	clustertest.Main(m)
}

func TestNotInPods_NamesTests(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	files := must[[]string](t)(filepath.Glob("*_test.go"))
	for _, file := range files {
		parsed := must[*ast.File](t)(parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution))
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
	}
	for name, why := range notInPods {
		if !tests[name] || why == "" {
			t.Errorf("notInPods has %q with the reason %q, want the name of a test and a reason", name, why)
		}
	}
}
