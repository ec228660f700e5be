package tool

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

const (
	// longestLine is the length in bytes from which a line is redacted in parts. The last
	// overlap bytes of a part are redacted again with the next one, so that no secret is
	// missed because it was split.
	longestLine = 64 << 10
	overlap     = 4 << 10
	// redacted replaces secrets.
	redacted = "***"
	// shortestSecret is the minimum length of a text that is redacted.
	shortestSecret = 4
	// outputRate bounds the output of one tool, in bytes per second, and outputBurst, in
	// bytes, what it may print at once. A tool that prints faster waits, so that reading
	// and redacting its output cannot take the server's CPU.
	outputRate  = 1 << 20
	outputBurst = 8 << 20
)

// A tail redacts what is written to it, keeps the end of it, and writes all of it to log,
// at a limited rate. It is safe for concurrent use.
type tail struct {
	log      io.Writer
	redactor *redactor
	// wait returns when n more bytes are within the limit, or when the tool is to end.
	wait func(n int)

	mu sync.Mutex
	// line is the start of a line that is not complete yet.
	line []byte
	kept bytes.Buffer
}

// newTail returns a tail for a tool that ends with ctx.
func newTail(ctx context.Context, log io.Writer) *tail {
	limit := rate.NewLimiter(outputRate, outputBurst)
	return &tail{log: log, wait: func(n int) {
		for ; n > 0 && limit.WaitN(ctx, min(n, outputBurst)) == nil; n -= outputBurst {
		}
	}}
}

// Write never fails, so that a full log does not fail a build.
func (t *tail) Write(p []byte) (int, error) {
	t.wait(len(p))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = append(t.line, p...)
	if end := bytes.LastIndexByte(t.line, '\n') + 1; end > 0 {
		t.flush(t.redactor.redact(t.line[:end]))
		t.line = append([]byte(nil), t.line[end:]...)
	}
	if len(t.line) > longestLine {
		part := t.redactor.redact(t.line)
		cut := max(0, len(part)-overlap)
		t.flush(part[:cut])
		t.line = append([]byte(nil), part[cut:]...)
	}
	return len(p), nil
}

// flush writes redacted output to the log and keeps its end.
func (t *tail) flush(p []byte) {
	if t.log != nil {
		_, _ = t.log.Write(p)
	}
	t.kept.Write(p)
	if excess := t.kept.Len() - keptOutput; excess > 0 {
		t.kept.Next(excess)
	}
}

// String flushes an incomplete line, and returns the end of the output.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.line) > 0 {
		t.flush(t.redactor.redact(t.line))
		t.line = nil
	}
	return strings.ToValidUTF8(t.kept.String(), "\uFFFD")
}

var (
	// credentials matches the user information of a URL.
	credentials = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@"'<>]+@`)
	// bareCredentials matches the user information of a proxy address without a scheme.
	bareCredentials = regexp.MustCompile(`^([^/\s@]+)@`)
)

// A redactor removes credentials from output: those of URLs, and all texts of the
// credentials in an environment. A nil redactor removes nothing.
type redactor struct{ replacer *strings.Replacer }

func newRedactor(env []string) *redactor {
	secrets := map[string]bool{}
	for _, variable := range env {
		_, value, _ := strings.Cut(variable, "=")
		for _, found := range credentials.FindAllString(value, -1) {
			_, user, _ := strings.Cut(strings.TrimSuffix(found, "@"), "://")
			addSecrets(secrets, user)
		}
		if found := bareCredentials.FindStringSubmatch(value); found != nil {
			addSecrets(secrets, found[1])
		}
	}
	var pairs []string
	// The longest first, because one secret may be a part of another.
	for _, secret := range slices.SortedFunc(keys(secrets), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, secret, redacted)
	}
	return &redactor{replacer: strings.NewReplacer(pairs...)}
}

func keys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// addSecrets adds the forms in which the user information of a URL may appear in output.
func addSecrets(secrets map[string]bool, user string) {
	plain, err := url.PathUnescape(user)
	if err != nil {
		plain = user
	}
	forms := []string{user, plain, base64.StdEncoding.EncodeToString([]byte(plain))}
	for _, text := range []string{user, plain} {
		if _, password, ok := strings.Cut(text, ":"); ok {
			forms = append(forms, password)
		}
	}
	for _, form := range forms {
		if len(form) >= shortestSecret {
			secrets[form] = true
		}
	}
}

func (r *redactor) redact(p []byte) []byte {
	if r == nil {
		return p
	}
	text := credentials.ReplaceAllString(string(p), "${1}"+redacted+"@")
	return []byte(r.replacer.Replace(text))
}
