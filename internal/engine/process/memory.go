package process

// Memory returns the memory in use by the instances of each revision, in bytes. At an
// isolation level without cgroups it is 0.
func (e *Engine) Memory() map[string]int64 {
	running := map[string][]*sandboxedProcess{}
	e.mu.Lock()
	for _, in := range e.instances {
		if s := in.sandboxed.Load(); s != nil {
			running[in.revision.id] = append(running[in.revision.id], s)
		}
	}
	e.mu.Unlock()
	used := make(map[string]int64, len(running))
	for id, all := range running {
		for _, s := range all {
			used[id] += s.Memory()
		}
	}
	return used
}
