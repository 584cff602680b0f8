package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	statePeriod = time.Second
	heartbeat   = 15 * time.Second
	// Of this many newest messages the states are followed.
	stateWindow = 200
)

// getEvents is the inbox as server-sent events: "message" with a message, "cleared", and "state"
// with the new status of a verification, or of a challenge, whose message was shown. The parameters to, channel and
// code choose the messages. The ids are SIDs, so a browser that comes back with Last-Event-ID gets
// what it missed; after does the same for a first connection.
func (in *Inbox) getEvents(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParameters(r.URL.RawQuery)
	if err != nil {
		return err
	}
	select {
	case <-in.closed:
		return errClosing
	default:
	}
	s := stream{in: in, w: w, q: p.Query, seen: in.newest(), states: make(map[string]string)}
	if id := r.Header.Get("Last-Event-ID"); validSID(id) {
		s.q.After = id
	}
	if s.q.After != "" {
		// A SID from the future is from a process with another clock. All that is here is old to
		// it, and what comes must not be.
		s.seen = min(s.q.After, s.seen)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would wait for a full buffer
	if r.Method == http.MethodHead {
		return nil
	}
	s.run(r.Context())
	return nil
}

// stream is one client's connection. It keeps no messages: a client that reads slowly is behind in
// the inbox's own list, and misses what was evicted meanwhile.
type stream struct {
	in     *Inbox
	w      http.ResponseWriter
	q      Query
	seen   string            // the SID up to which the client knows everything
	states map[string]string // by verification, what the client was told
}

// run ends when the client is gone or the inbox closes.
func (s *stream) run(ctx context.Context) {
	news, stop := s.in.watch(s.q.To)
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var poll <-chan time.Time
	if s.in.state != nil {
		ticker := time.NewTicker(statePeriod)
		defer ticker.Stop()
		poll = ticker.C
	}

	err := s.write("retry: 1000\n\n")
	for err == nil {
		if err = s.catchUp(ctx); err != nil {
			return
		}
		select {
		case <-news:
		case <-poll:
			err = s.tellStates(ctx)
		case <-beat.C:
			err = s.write(": still here\n\n")
		case <-ctx.Done():
			return
		case <-s.in.closed:
			return
		}
	}
}

func (s *stream) catchUp(ctx context.Context) error {
	missed, cleared := s.in.since(s.q, s.seen)
	if cleared != "" {
		clear(s.states)
		if err := s.event("cleared", cleared, struct{}{}); err != nil {
			return err
		}
		s.seen = cleared
	}
	for _, m := range s.in.withStatus(ctx, missed) {
		id := m.SID
		if id < s.seen { // it was brought back; a client that comes back knows more already
			id = ""
		}
		if err := s.event("message", id, m); err != nil {
			return err
		}
		s.seen = max(s.seen, m.SID)
		s.states[m.subject()] = m.VerificationStatus
	}
	return nil
}

// tellStates asks for what may still change and says what did. It begins with everything: the
// client may have read its list before the stream began.
func (s *stream) tellStates(ctx context.Context) error {
	q := s.q
	q.After, q.Limit = "", stateWindow
	told := s.states
	s.states = make(map[string]string) // of the window alone, or it would grow for ever
	for _, m := range s.in.find(q) {
		sid := m.subject()
		if _, done := s.states[sid]; done || sid == "" {
			continue
		}
		before, known := told[sid]
		if known && settled(before) {
			s.states[sid] = before
			continue
		}
		status := s.in.status(ctx, sid)
		s.states[sid] = status
		if known && status == before || status == "" {
			continue
		}
		if err := s.event("state", "", map[string]string{"verification_sid": sid, "status": status}); err != nil {
			return err
		}
	}
	return nil
}

// settled is true of a status that a verification does not leave.
func settled(status string) bool { return status != "" && status != "pending" }

// event writes one event; JSON has no line breaks, so one data line is enough.
func (s *stream) event(name, id string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return s.write(fmt.Sprintf("event: %s\n%sdata: %s\n\n", name, id, b))
}

func (s *stream) write(text string) error {
	outlive(s.w, writeGrace)
	if _, err := io.WriteString(s.w, text); err != nil {
		return err
	}
	return http.NewResponseController(s.w).Flush()
}
