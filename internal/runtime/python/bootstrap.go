package python

import (
	_ "embed"
	"strings"
)

// The parts of the bootstrap in their order. They become one file, which loads faster than
// several.
var (
	//go:embed bootstrap/begin.py
	begin string
	//go:embed bootstrap/http.py
	http string
	//go:embed bootstrap/events.py
	events string
	//go:embed bootstrap/serve.py
	serve string

	bootstrap = []byte(strings.Join([]string{begin, http, events, serve}, "\n\n"))
)
