package apns

import "sync"

// maxHomes bounds what is remembered; when it is full all is forgotten, and asked for again.
const maxHomes = 10_000

// homes remembers the handsets that belong to the second host.
type homes struct {
	mu     sync.Mutex
	second map[string]bool
}

// of is the host to ask first, as an index of Provider.hosts.
func (h *homes) of(token string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.second[token] {
		return 1
	}
	return 0
}

func (h *homes) remember(token string, host int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if host == 0 {
		delete(h.second, token)
		return
	}
	if h.second == nil || len(h.second) >= maxHomes {
		h.second = map[string]bool{}
	}
	h.second[token] = true
}
