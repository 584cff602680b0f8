package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// health answers /readyz. Ready means that a row can be committed; a process that is alive over a
// disk that is full is not ready.
type health struct {
	store    Store
	stopping atomic.Bool

	mu      sync.Mutex
	checked time.Time
	err     error
}

const (
	// readyFor is how long an answer holds, so that probes cannot become load.
	readyFor     = time.Second
	readyTimeout = 2 * time.Second
)

func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if h.stopping.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "stopping")
		return
	}
	if err := h.check(r.Context()); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "the store does not take writes")
		return
	}
	fmt.Fprintln(w, "ok")
}

func (h *health) check(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.checked) < readyFor {
		return h.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	h.err = h.store.Ping(ctx)
	h.checked = time.Now()
	return h.err
}
