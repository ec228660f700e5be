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
	// memoryBound is what the attack may add to the server's memory, in bytes:
	// some 30 KiB for each connection, and room to spare.
	memoryBound = 768 << 20
)

const stuck = `package f

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
`

// hostileLoad attacks the gateway in every way at once, and looks whether a
// good function is still served, and the server's memory stays bounded.
func hostileLoad(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	namespaceID, err := v.namespace(ctx, "hostile")
	if err != nil {
		return "", err
	}
	good, err := v.deploy(ctx, namespaceID, "good", fast, 2)
	if err != nil {
		return "", err
	}
	bad, err := v.deploy(ctx, namespaceID, "stuck", stuck, 2)
	if err != nil {
		return "", err
	}
	tickets, err := v.tickets(ctx, 2, never, good, bad)
	if err != nil {
		return "", err
	}
	calm, err := v.percentile(ctx, tickets[0], attackTime/2)
	if err != nil {
		return "", err
	}
	before, err := memory(v.process.Process.Pid)
	if err != nil {
		return "", err
	}
	end, err := v.attack(ctx, tickets[1])
	if err != nil {
		return "", err
	}
	attacked, served := v.percentile(ctx, tickets[0], attackTime)
	during, _ := memory(v.process.Process.Pid)
	d, err := end()
	if err != nil {
		return "", err
	}
	if served != nil {
		return "the good function is not served during the attack: " + served.Error(), errBroken
	}
	line := fmt.Sprintf("%d idle connections, %d slow ones, %.0f bad tokens a second, %d heads of 1 MiB, %d long heads whose bodies never came, %d calls to a function that never answers: "+
		"%d bad calls admitted, the good function's p99 %.1f times that of before, %d MiB more memory",
		d.Idle, d.Slow, float64(d.Refused)/d.Seconds, d.Heads, d.Withheld, d.Stuck, d.Admitted, attacked.Seconds()/calm.Seconds(), (during-before)>>20)
	if d.Admitted > 0 || during-before > memoryBound || d.Idle < idleConnections || d.Refused == 0 {
		return line, errBroken
	}
	return line, nil
}

// percentile calls a function one call after another for a while, and returns
// the time that 99 in 100 calls do not exceed.
func (v *jeton) percentile(ctx context.Context, t *ticket, during time.Duration) (time.Duration, error) {
	var took []time.Duration
	for end := time.Now().Add(during); time.Now().Before(end); {
		began := time.Now()
		if status := call(ctx, http.DefaultClient, v.gateway, t.host, t.text); status != http.StatusOK {
			return 0, fmt.Errorf("a call is answered with %d", status)
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

// attack begins an attack from a process of its own, whose end returns what it
// has done. It runs at the lowest priority: an attacker has machines of his own,
// and would not be held up by the one he attacks, nor take its processors.
func (v *jeton) attack(ctx context.Context, stuck *ticket) (end func() (deeds, error), err error) {
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
	said := json.NewDecoder(output)
	var done deeds
	order := order{Address: strings.TrimPrefix(v.gateway, "http://"), Host: stuck.host, Token: stuck.text}
	// What it has done so far comes when all its connections are there.
	if err := errors.Join(json.NewEncoder(input).Encode(order), said.Decode(&done)); err != nil {
		return nil, errors.Join(err, process.Process.Kill(), process.Wait())
	}
	return func() (deeds, error) {
		err := errors.Join(input.Close(), said.Decode(&done))
		return done, errors.Join(err, process.Wait())
	}, nil
}

// memory is what a process has in memory, in bytes.
func memory(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
