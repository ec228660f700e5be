package certificate

// Kept is how many certificates are kept.
func (h *Hosts) Kept() int { return len(h.kept) }
