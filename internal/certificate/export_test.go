package certificate

// Cached returns the number of cached certificates.
func (h *Hosts) Cached() int { return len(h.cache) }
