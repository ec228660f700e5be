package tool

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const (
	// longestLine is how much of a line is kept before it is passed on in parts, and
	// overlap what two parts have in common, so that no secret is cut in two.
	longestLine = 64 << 10
	overlap     = 4 << 10
	// redacted stands for what was taken out.
	redacted = "***"
	// shortestSecret is the length from which a password is looked for by itself.
	shortestSecret = 4
)

// A tail keeps the end of what is written to it, and passes all of it on. Both are
// redacted.
type tail struct {
	log      io.Writer
	redactor *redactor

	mu sync.Mutex
	// line is what has come of a line so far.
	line []byte
	kept bytes.Buffer
}

// Write always takes everything: a log that fails must not fail a build.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = append(t.line, p...)
	if end := bytes.LastIndexByte(t.line, '\n') + 1; end > 0 {
		t.pass(t.redactor.redact(t.line[:end]))
		t.line = append([]byte(nil), t.line[end:]...)
	}
	if len(t.line) > longestLine {
		part := t.redactor.redact(t.line)
		cut := max(0, len(part)-overlap)
		t.pass(part[:cut])
		t.line = append([]byte(nil), part[cut:]...)
	}
	return len(p), nil
}

func (t *tail) pass(p []byte) {
	if t.log != nil {
		_, _ = t.log.Write(p)
	}
	t.kept.Write(p)
	if excess := t.kept.Len() - keptOutput; excess > 0 {
		t.kept.Next(excess)
	}
}

// String returns what is kept, after the last part of it was passed on.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.line) > 0 {
		t.pass(t.redactor.redact(t.line))
		t.line = nil
	}
	return strings.ToValidUTF8(t.kept.String(), "\uFFFD")
}

var (
	// credentials are those in a URL.
	credentials = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@"'<>]+@`)
	// bareCredentials are those of a proxy that is named without a scheme.
	bareCredentials = regexp.MustCompile(`^([^/\s@]+)@`)
)

// A redactor takes credentials out of output: those of an environment, and those of
// any URL. A nil one takes out nothing.
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
	// The longest come first, for one may be a part of another one.
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

// addSecrets adds the forms in which the user and password of a URL may appear.
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
