package tool

import (
	"os"
	"slices"
	"strings"
)

// networkVariables are the variables for certificates and HTTP proxies, which may contain
// credentials. Only tools that download get them.
var networkVariables = []string{
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
}

// ModuleSources are the settings of Go for the sources of modules and their verification, which may
// contain credentials. Only the step that downloads gets them.
var ModuleSources = []string{"GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB"}

// Downloads returns the variables of this process that say where the tools download from, as
// "KEY=value", for builds in another container. Those with paths of this machine are left out.
func Downloads() []string {
	isPath := func(name string) bool { return strings.HasPrefix(name, "SSL_CERT_") }
	return inherited(slices.Concat(slices.DeleteFunc(slices.Clone(networkVariables), isPath), ModuleSources))
}

// Inherited returns the part of the server's environment that every tool gets, as
// "KEY=value": PATH, to find programs such as a linker. A tool with Network gets more.
func Inherited() []string { return inherited([]string{"PATH"}) }

func inherited(names []string) []string {
	var env []string
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
