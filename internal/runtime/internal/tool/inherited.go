package tool

import "os"

// inherited are the variables of the server by which tools that download find
// their way out: programs such as a linker, certificates and HTTP proxies.
var inherited = []string{
	"PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}

// Inherited returns what such a tool must have of the server's environment, as
// "KEY=value". It gets no more of it.
func Inherited() []string {
	var env []string
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
