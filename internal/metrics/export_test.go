package metrics

// Tracked returns the number of functions whose history is kept.
func (h *History) Tracked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.tracks)
}
