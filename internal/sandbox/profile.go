package sandbox

// A Profile names the list of system calls that the programs of one language may
// make.
type Profile string

// The profiles. Generic allows what every other profile does.
const (
	Generic Profile = "generic"
	Go      Profile = "go"
	Node    Profile = "node"
	PHP     Profile = "php"
	Python  Profile = "python"
	Rust    Profile = "rust"
)
