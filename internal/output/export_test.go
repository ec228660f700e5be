package output

// WhileLocked calls do with the files of a function locked, as during a slow write.
func (l *Logs) WhileLocked(functionID string, do func()) error {
	return l.with(functionID, func(*files) error {
		do()
		return nil
	})
}
