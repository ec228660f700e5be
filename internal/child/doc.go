// Package child starts child processes that end when this process ends, however it
// ends, together with their process groups. A descendant that leaves its process group
// is not ended.
package child
