package launcher_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// smaps is an excerpt for a program with all kinds of memory.
const smaps = `00400000-00402000 r--p 00000000 fe:00 11560053                           /usr/bin/jeton
Size:                  8 kB
Rss:                   8 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
00402000-0145e000 r-xp 00002000 fe:00 11560053                           /usr/bin/jeton (deleted)
Anonymous:             0 kB
02653000-02654000 r--p 02252000 fe:00 11560053                           /usr/bin/jeton
Anonymous:             4 kB
02654000-02711000 rw-p 02253000 fe:00 11560053                           /usr/bin/jeton
Anonymous:             0 kB
02711000-02712000 r--s 00000000 fe:00 11560054                           /var/lib/shared
Anonymous:             0 kB
3d84b4000000-3d84b4800000 ---p 00000000 00:00 0 
Anonymous:             0 kB
7f6ef6432000-7f6ef6436000 r--p 00000000 00:00 0                          [vvar]
Anonymous:             0 kB
`

func TestFilePages_FindsReadOnlyRegionsOfFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		smaps string
		want  [][2]uintptr
	}{
		"a program":           {smaps, [][2]uintptr{{0x400000, 0x402000}, {0x402000, 0x145e000}}},
		"empty":               {"", nil},
		"no region":           {"Anonymous:             0 kB\n", nil},
		"malformed addresses": {"x-y r--p 00000000 fe:00 1 /f\nAnonymous:             0 kB\n", nil},
		"short permissions":   {"1000-2000 r- 00000000 fe:00 1 /f\nAnonymous:             0 kB\n", nil},
	} {
		if got := launcher.FilePages([]byte(test.smaps)); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %x, want %x", name, got, test.want)
		}
	}
}
