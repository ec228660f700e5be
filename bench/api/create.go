package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
)

var (
	createRounds = measure.Sized(7, 1)
	// created is how many tokens each side makes in a round: the kernel counts
	// CPU time in hundredths of a second.
	created = measure.Sized(150, 10)
)

// floorArgument has this program be the reference.
const floorArgument = "floor"

// cost is what one token has taken, in milliseconds.
type cost struct{ Wall, CPU float64 }

// createTokens measures a token that is made over HTTP, until it is ready, beside
// one signature and one write that has reached the disk.
func createTokens(ctx context.Context, dir string) ([]measure.Result, error) {
	s, err := stage.Start(ctx, filepath.Join(dir, "create"))
	if err != nil {
		return nil, err
	}
	n, err := s.Namespace(ctx, "create")
	if err != nil {
		return nil, err
	}
	if err := settled(ctx, s); err != nil {
		return nil, err
	}
	var wall, cpu [2][]float64
	for round := range createRounds + 1 {
		ours, err := overHTTP(ctx, s, n.ID)
		if err != nil {
			return nil, err
		}
		floor, err := floorOf(ctx, dir)
		if err != nil {
			return nil, err
		}
		if round > 0 { // the first warms both sides up
			for side, c := range []cost{ours, floor} {
				wall[side], cpu[side] = append(wall[side], c.Wall), append(cpu[side], c.CPU)
			}
		}
	}
	_, err = s.Stop()
	const note = "a token over HTTP beside one signature of RSA-4096 and one fsync"
	return []measure.Result{
		measure.Compare("token-create", "ms", "<= 1.3", note, wall[0], wall[1]),
		measure.Compare("token-create-cpu", "ms of CPU", "<= 1.3", note+"; with what makes it ready", cpu[0], cpu[1]),
	}, err
}

func overHTTP(ctx context.Context, s *stage.Server, namespaceID string) (cost, error) {
	before, err := measure.CPUTime(s.PID())
	if err != nil {
		return cost{}, err
	}
	var last *function.Token
	began := time.Now()
	for range created {
		if last, err = s.CreateToken(&function.CreateTokenRequest{NamespaceID: &namespaceID}, scw.WithContext(ctx)); err != nil {
			return cost{}, err
		}
	}
	took := time.Since(began)
	poll := 5 * time.Millisecond
	if _, err := s.WaitForToken(&function.WaitForTokenRequest{TokenID: last.ID, RetryInterval: &poll}, scw.WithContext(ctx)); err != nil {
		return cost{}, err
	}
	after, err := measure.CPUTime(s.PID())
	return costOf(took, after-before), err
}

func costOf(wall, cpu time.Duration) cost {
	return cost{Wall: wall.Seconds() * 1000 / float64(created), CPU: cpu.Seconds() * 1000 / float64(created)}
}

// floorOf has the reference run in a process of its own.
func floorOf(ctx context.Context, dir string) (cost, error) {
	var c cost
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	output, err := exec.CommandContext(ctx, self, floorArgument, dir, strconv.Itoa(created)).Output()
	if err != nil {
		return c, fmt.Errorf("the reference: %w", err)
	}
	return c, json.Unmarshal(output, &c)
}

// tokenFloor signs as many texts as long as a token's, and has each on the disk
// before the next, in a file of the folder. It prints the cost of one.
func tokenFloor(dir, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	key, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		return err
	}
	defer file.Close()
	text := make([]byte, 360)
	before, began := usedCPU(), time.Now()
	for i := range n {
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
	return json.NewEncoder(os.Stdout).Encode(costOf(time.Since(began), usedCPU()-before))
}

// usedCPU is what this process has used.
func usedCPU() time.Duration {
	var usage syscall.Rusage
	// It fails for no process of one's own.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// settled waits until the server has nothing to do: it makes key pairs ahead of
// need when it has started, which takes seconds of CPU time.
func settled(ctx context.Context, s *stage.Server) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		before, err := measure.CPUTime(s.PID())
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("the server does not settle")
		}
		if after, err := measure.CPUTime(s.PID()); err != nil || after-before < 50*time.Millisecond {
			return err
		}
	}
}
