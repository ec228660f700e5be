package leave_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// BenchmarkImport measures runs for an account of 30 namespaces and 300 functions with
// 600 tokens: a dry run, the first import with all code, and one without changes. The
// source is on the same machine, so that the times are those of Jeton alone.
func BenchmarkImport(b *testing.B) {
	source := newScaleway(b)
	for n := range 30 {
		source.namespace(n, "fr-par")
		for f := range 10 {
			source.function(n, f, "fr-par", func(f *sourceFunction) { f.code = handler })
		}
	}
	for _, dryRun := range []bool{true, false} {
		name := "import"
		if dryRun {
			name = "dry run"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				target := jetontest.Start(b)
				b.StartTimer()
				runOnce(b, leave.RunnerConfig{Source: source.source(), Target: target.Admin, DryRun: dryRun})
				b.StopTimer()
				target.Stop()
				b.StartTimer()
			}
		})
	}
	b.Run("unchanged", func(b *testing.B) {
		target := jetontest.Start(b)
		runOnce(b, leave.RunnerConfig{Source: source.source(), Target: target.Admin})
		for b.Loop() {
			runOnce(b, leave.RunnerConfig{Source: source.source(), Target: target.Admin})
		}
	})
}

func runOnce(b *testing.B, config leave.RunnerConfig) {
	b.Helper()
	runner, err := leave.NewRunner(config)
	if err != nil {
		b.Fatal(err)
	}
	report, err := runner.Run(b.Context())
	if err != nil || report.Failed() > 0 {
		b.Fatalf("%v, %d failed", err, report.Failed())
	}
}
