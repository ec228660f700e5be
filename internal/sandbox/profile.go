package sandbox

// A Profile selects the system calls that programs of one language may make.
type Profile string

// The profiles. Generic allows the system calls of all others.
const (
	Generic Profile = "generic"
	Go      Profile = "go"
	Node    Profile = "node"
	PHP     Profile = "php"
	Python  Profile = "python"
	Rust    Profile = "rust"
)
