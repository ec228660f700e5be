// Package sandbox isolates one untrusted process: its files, user, system calls and
// resources. A Host makes sandboxes of one isolation level, and tests that every
// isolation layer holds before anything runs in one. It never lowers the level by
// itself. The package does not depend on functions, languages or HTTP, and does not
// decide what runs.
package sandbox
