package runtime

import "github.com/jeton-dev/jeton/internal/runtime/internal/tool"

// Downloads returns the variables of this process that say where builds download from, as
// "KEY=value": module proxies of Go and HTTP proxies. Builds in another container need them.
func Downloads() []string { return tool.Downloads() }
