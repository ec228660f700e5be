package relay

// Functions that tests check with arbitrary messages.
var (
	Merge             = func(own, other []byte) error { _, err := merge(own, other); return err }
	RestConfiguration = restConfiguration
	PlannedDeletion   = plannedDeletion
	Diagnostics       = diagnostics
)
