package tool

import "os"

// networkVariables are those of the server by which tools that download find their
// way: certificates and HTTP proxies, which may have credentials.
var networkVariables = []string{
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
}

// Inherited returns what every tool has of the server's environment, as
// "KEY=value": where programs are, such as a linker. A tool with Network gets more.
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
