package escape

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed programs
var programs embed.FS

// A Program is a function that makes one attempt per call, which the path names. It
// answers "ordinary" to any other path.
type Program struct {
	Language, Runtime, Handler string
	Attempts                   []string
}

// everywhere are the attempts that every language can make. Abstract sockets are not
// among them: Node pads their names.
const everywhere = "file code proc kill tcp host udp path metadata forks disk memory mount setuid unshare"

// Programs returns the programs of all languages.
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

// Files returns the files of the program's archive by name.
func (p Program) Files() (map[string]string, error) {
	root := path.Join("programs", p.Language)
	files := map[string]string{}
	err := fs.WalkDir(programs, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := programs.ReadFile(name)
		// With the suffix .txt, Go's tools ignore the files.
		files[strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), ".txt")] = string(text)
		return err
	})
	return files, err
}
