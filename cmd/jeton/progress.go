package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// progressBar shows the progress of a command on a terminal. On another writer it prints a
// line when a step ends. It is safe for concurrent use.
type progressBar struct {
	out      io.Writer
	terminal bool

	mu sync.Mutex
	// shown is the length of the last line.
	shown int
}

func newProgressBar(out io.Writer) *progressBar {
	return &progressBar{out: out, terminal: isTerminal(out)}
}

// barWidth is the number of characters of a full bar.
const barWidth = 30

// show shows how much of a step is done.
func (b *progressBar) show(step string, done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.terminal {
		if done == total {
			fmt.Fprintf(b.out, "%s: %d of %d\n", step, done, total)
		}
		return
	}
	filled := barWidth * done / max(total, 1)
	line := fmt.Sprintf("[%s%s] %d/%d %s", strings.Repeat("#", filled), strings.Repeat(" ", barWidth-filled), done, total, step)
	fmt.Fprintf(b.out, "\r%-*s", b.shown, line)
	b.shown = len(line)
}

// clear removes the bar.
func (b *progressBar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.terminal && b.shown > 0 {
		fmt.Fprintf(b.out, "\r%*s\r", b.shown, "")
		b.shown = 0
	}
}
