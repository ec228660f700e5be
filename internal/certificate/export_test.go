package certificate

import "github.com/caddyserver/certmagic"

// Cached returns the number of cached certificates.
func (h *Hosts) Cached() int { return len(h.cache) }

// NewRecordStorage returns the storage of ACME for records.
func NewRecordStorage(records Records, sealer Sealer) certmagic.Storage {
	return newRecordStorage(records, sealer)
}
