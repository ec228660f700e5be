package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
)

var (
	createRounds = harness.Sized(7, 1)
	// created is the number of tokens per side and round. The kernel counts CPU time
	// in units of 10 ms, so one token is too few.
	created = harness.Sized(150, 10)
)

// signerRole is the role of the baseline's process.
const signerRole = "signer"

// createTokens measures the creation of a token over HTTP until it is ready, and
// compares it with one signature and one write that has reached the disk.
func createTokens(ctx context.Context, dir string) ([]harness.Result, error) {
	s, err := harness.Start(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	n, err := s.Namespace(ctx, "create")
	if err != nil {
		return nil, err
	}
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	costs, err := harness.WarmRounds(createRounds,
		func() (harness.Cost, error) { return createOverHTTP(ctx, s, n.ID) },
		func() (harness.Cost, error) { return runSigner(ctx, dir) })
	if err != nil {
		return nil, err
	}
	return harness.CompareCosts("token-create", "ms", "<= 1.3",
		"a token over HTTP until it is ready, compared with one signature of RSA-4096 and one fsync", costs), s.Stop()
}

func createOverHTTP(ctx context.Context, s *harness.Server, namespaceID string) (harness.Cost, error) {
	before, err := harness.CPUTime(s.PID())
	if err != nil {
		return harness.Cost{}, err
	}
	var last *function.Token
	began := time.Now()
	for range created {
		if last, err = s.CreateToken(&function.CreateTokenRequest{NamespaceID: &namespaceID}, scw.WithContext(ctx)); err != nil {
			return harness.Cost{}, err
		}
	}
	took := time.Since(began)
	interval := 5 * time.Millisecond
	if _, err := s.WaitForToken(&function.WaitForTokenRequest{TokenID: last.ID, RetryInterval: &interval}, scw.WithContext(ctx)); err != nil {
		return harness.Cost{}, err
	}
	after, err := harness.CPUTime(s.PID())
	return costPerToken(took, after-before), err
}

// costPerToken returns the cost of one token in milliseconds.
func costPerToken(elapsed, cpu time.Duration) harness.Cost {
	return harness.Cost{Elapsed: elapsed.Seconds() * 1000 / float64(created), CPU: cpu.Seconds() * 1000 / float64(created)}
}

// runSigner runs signAndSync in a process of its own.
func runSigner(ctx context.Context, dir string) (harness.Cost, error) {
	var c harness.Cost
	command, err := harness.Command(ctx, signerRole, filepath.Join(dir, "signatures"))
	if err != nil {
		return c, err
	}
	output, err := command.Output()
	if err != nil {
		return c, fmt.Errorf("run the baseline: %w", err)
	}
	return c, json.Unmarshal(output, &c)
}

// signAndSync signs texts of the length of a token, and writes and syncs each to a
// new file before the next. It prints the cost of one as JSON.
func signAndSync(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	text := make([]byte, 360)
	before, began := ownCPUTime(), time.Now()
	for i := range created {
		text[i%len(text)]++
		digest := sha256.Sum256(text)
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			return err
		}
		if _, err := file.Write(append(signature, text...)); err != nil {
			return err
		}
		if err := file.Sync(); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(costPerToken(time.Since(began), ownCPUTime()-before))
}

// ownCPUTime returns the CPU time of this process. It is more precise than
// harness.CPUTime.
func ownCPUTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // It cannot fail for this process.
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
