package postgres

// Waiting is the number of Updates that no writer has taken.
func (s *Store) Waiting() int { return len(s.updates) }
