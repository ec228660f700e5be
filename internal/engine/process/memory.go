package process

// Memory returns the memory in use by the instances of each revision, in bytes. At an
// isolation level without cgroups it is 0.
func (e *Engine) Memory() map[string]int64 {
	running := map[string][]*sandboxedProcess{}
	for _, in := range e.All() {
		if s := in.sandboxed.Load(); s != nil {
			running[in.revision.source.ID] = append(running[in.revision.source.ID], s)
		}
	}
	used := make(map[string]int64, len(running))
	for id, all := range running {
		for _, s := range all {
			used[id] += s.Memory()
		}
	}
	return used
}
