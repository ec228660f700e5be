package server

// CloseOpsListener closes the listener of the operators' port.
func (s *Server) CloseOpsListener() error { return s.listeners.ops.Close() }
