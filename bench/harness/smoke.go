package harness

import "os"

// smokeVariable shortens the benchmarks to seconds. It is an environment variable so
// that helper processes inherit it.
const smokeVariable = "JETON_BENCH_SMOKE"

// Smoke reports whether this is a smoke run, which only checks that the benchmarks
// work.
func Smoke() bool { return os.Getenv(smokeVariable) != "" }

// Sized returns full, or smoke in a smoke run.
func Sized[T any](full, smoke T) T {
	if Smoke() {
		return smoke
	}
	return full
}
