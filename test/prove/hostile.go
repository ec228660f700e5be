package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	attackTime = 10 * time.Second
	// memoryBound is how much the server's memory may grow during the attack, in bytes.
	// A connection needs about 30 KiB. The rest is a margin.
	memoryBound = 768 << 20
)

const stuck = `package f

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
`

// serveUnderAttack attacks the gateway in all ways at the same time. An ordinary function
// must still be served, and the server's memory must stay bounded.
func serveUnderAttack(ctx context.Context, h *harness) (string, error) {
	v, namespaceID, err := h.newServerWithNamespace(ctx, "hostile")
	if err != nil {
		return "", err
	}
	defer v.stop()
	ordinary, err := v.deploy(ctx, namespaceID, "good", fast, 2)
	if err != nil {
		return "", err
	}
	neverAnswers, err := v.deploy(ctx, namespaceID, "stuck", stuck, 2)
	if err != nil {
		return "", err
	}
	tokens, err := v.tokens(ctx, 2, never, ordinary, neverAnswers)
	if err != nil {
		return "", err
	}
	baseline, err := v.percentile(ctx, tokens[0], attackTime/2)
	if err != nil {
		return "", err
	}
	before, err := memory(v.process.Process.Pid)
	if err != nil {
		return "", err
	}
	end, err := v.attack(ctx, tokens[1])
	if err != nil {
		return "", err
	}
	attacked, serveErr := v.percentile(ctx, tokens[0], attackTime)
	during, _ := memory(v.process.Process.Pid)
	c, err := end()
	if err != nil {
		return "", err
	}
	if serveErr != nil {
		return "an ordinary function is not served during the attack: " + serveErr.Error(), errBroken
	}
	line := fmt.Sprintf("%d idle connections, %d slow connections, %.0f invalid tokens per second, %d heads of 1 MiB, %d long heads without a body, %d calls to a function that never answers: "+
		"%d invalid calls admitted, p99 of an ordinary function %.1f times the baseline, %d MiB more memory",
		c.Idle, c.Slow, float64(c.Refused)/c.Seconds, c.Heads, c.Withheld, c.Stuck, c.Admitted, attacked.Seconds()/baseline.Seconds(), (during-before)>>20)
	if c.Admitted > 0 || during-before > memoryBound || c.Idle < idleConnections || c.Refused == 0 {
		return line, errBroken
	}
	return line, nil
}

// percentile makes one call after another, and returns the 99th percentile of their
// durations.
func (v *jeton) percentile(ctx context.Context, t *token, during time.Duration) (time.Duration, error) {
	var took []time.Duration
	for end := time.Now().Add(during); time.Now().Before(end); {
		began := time.Now()
		if status := call(ctx, http.DefaultClient, v.gateway, t.host, t.text); status != http.StatusOK {
			return 0, fmt.Errorf("call function: got status %d", status)
		}
		took = append(took, time.Since(began))
		pause(ctx, time.Millisecond)
	}
	slices.Sort(took)
	return took[len(took)*99/100], nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// attack starts an attack in another process. end stops it and returns its counts. The
// process has the lowest priority: a real attacker uses other machines, and takes no CPU
// time of the server.
func (v *jeton) attack(ctx context.Context, stuck *token) (end func() (attackCounts, error), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, "nice", "-n", "19", self, attackArgument)
	process.Stderr = os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	answers := json.NewDecoder(output)
	var counts attackCounts
	order := attackOrder{Address: strings.TrimPrefix(v.gateway, "http://"), Host: stuck.host, Token: stuck.text}
	// The first answer arrives when all idle connections are open.
	if err := errors.Join(json.NewEncoder(input).Encode(order), answers.Decode(&counts)); err != nil {
		return nil, errors.Join(err, process.Process.Kill(), process.Wait())
	}
	return func() (attackCounts, error) {
		err := errors.Join(input.Close(), answers.Decode(&counts))
		return counts, errors.Join(err, process.Wait())
	}, nil
}

// memory returns the resident memory of a process, in bytes.
func memory(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
