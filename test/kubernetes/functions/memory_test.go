//go:build linux && kubernetes

package functions_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"github.com/jeton-dev/jeton/test/await"
)

// measured allocates memory at /allocate, and otherwise tries to change what its launcher reports.
const measured = `const fs = require('fs'), net = require('net');
let kept;
const attempts = {
  'the files of the launcher': () => fs.readdirSync('/proc/1/fd'),
  'the memory of the launcher': () => fs.openSync('/proc/1/mem', 'r+'),
  'the usage of version 1': () => fs.writeFileSync('/sys/fs/cgroup/memory/memory.usage_in_bytes', '1'),
  'the usage of version 2': () => fs.writeFileSync('/sys/fs/cgroup/memory.current', '1'),
  'another cgroup': () => fs.mkdirSync('/sys/fs/cgroup/memory/own'),
};
exports.handle = async (event) => {
  if (event.path === '/allocate') {
    kept = Buffer.alloc(100 << 20, 1);
    return { body: 'allocated' };
  }
  const outcomes = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try { attempt(); outcomes[name] = 'succeeded'; } catch (error) { outcomes[name] = error.code; }
  }
  outcomes['the socket of the launcher'] = await new Promise((done) => {
    const socket = net.connect('/run/jeton/launcher.sock', () => done('succeeded'));
    socket.on('error', (error) => done(error.code));
  });
  return { body: JSON.stringify(outcomes) };
};
`

// TestMemory_IsMeasuredInPods reads the memory of a function before and after it allocates. The function
// cannot change what is reported.
func TestMemory_IsMeasuredInPods(t *testing.T) {
	w := newWorld(t, "memory")
	f := w.deploy(t, "f", "node20", "handler.handle", public, map[string]string{"handler.js": measured})
	line := regexp.MustCompile(`jeton_memory_bytes\{function_id="` + f.ID + `"\} (\S+)`)
	memory := func() float64 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.OpsURL+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, scraped := w.answer(t, request)
		if found := line.FindStringSubmatch(scraped); found != nil {
			if n, err := strconv.ParseFloat(found[1], 64); err == nil {
				return n / (1 << 20)
			}
		}
		return 0
	}
	_, body := w.call(t, f, "/", "")
	outcomes := map[string]string{}
	if err := json.Unmarshal([]byte(body), &outcomes); err != nil || len(outcomes) != 6 {
		t.Fatalf("the attempts: got %q, %v", body, err)
	}
	for name, outcome := range outcomes {
		if outcome == "succeeded" {
			t.Errorf("the function has opened or changed %s", name)
		}
	}
	t.Logf("attempts: %v", outcomes)
	await.True(t, "the memory is known", func() bool { return memory() > 0 })
	before := memory()
	if status, body := w.call(t, f, "/allocate", ""); status != http.StatusOK {
		t.Fatalf("got %d %q", status, body)
	}
	await.True(t, "the memory has grown by 90 MiB", func() bool { return memory() >= before+90 })
	after := memory()
	t.Logf("%.1f MiB, and %.1f MiB after an allocation of 100 MiB", before, after)
	if after > 256+32 {
		t.Errorf("the memory is %.1f MiB, more than the limit of the container", after)
	}
}
