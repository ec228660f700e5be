package escape

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed programs
var programs embed.FS

// A Program is a function that makes one attempt a call: the one that the path
// names. To any other path it answers "honest".
type Program struct {
	Language, Runtime, Handler string
	Attempts                   []string
}

// everywhere are the attempts that every language can make. Node makes the names of
// abstract sockets longer than they are.
const everywhere = "file code proc kill tcp host udp path metadata forks disk memory mount setuid unshare"

// Programs are those of all languages.
func Programs() []Program {
	calls := strings.Fields(everywhere + " abstract mptcp raw ptrace io_uring keyctl bpf")
	return []Program{
		{"go", "go126", "Handle", calls},
		{"python", "python314", "handler.handle", append(strings.Fields("machine interfaces"), calls...)},
		{"rust", "rust196", "handle", calls},
		{"php", "php85", "handler.handle", strings.Fields(everywhere + " abstract raw")},
		{"node", "node24", "handler.handle", strings.Fields(everywhere)},
	}
}

// Files are the program's archive.
func (p Program) Files() (map[string]string, error) {
	root := path.Join("programs", p.Language)
	files := map[string]string{}
	err := fs.WalkDir(programs, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := programs.ReadFile(name)
		// The ending keeps Go's tools from taking them for ours.
		files[strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), ".txt")] = string(text)
		return err
	})
	return files, err
}
