package php

import (
	_ "embed"
	"strings"
)

// The parts of the bootstrap in their order. They become one file, which loads faster than
// several.
var (
	//go:embed bootstrap/begin.php
	begin string
	//go:embed bootstrap/http.php
	http string
	//go:embed bootstrap/events.php
	events string
	//go:embed bootstrap/serve.php
	serve string

	bootstrap = []byte(strings.ReplaceAll(strings.Join([]string{begin, http, events, serve}, "\n"), "\n<?php\n", "\n"))
)
