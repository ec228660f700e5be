package process

// Memory returns the memory in use by the instances of each revision, in bytes. It returns nothing at an
// isolation level without cgroups.
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
			if n := s.Memory(); n > 0 {
				used[id] += n
			}
		}
	}
	return used
}
