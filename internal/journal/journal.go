// Package journal tells a developer what happens in a `verifyd dev`, as it happens: every verification,
// attempt, factor, challenge and delivery of an event that a commit has changed, every message, every move
// of the clock. It is a stream of server-sent events at /dev/events.
//
// It looks at what is written and decides nothing: Watch puts it between the engine and its store. An
// event follows its commit, so what it says is true when it is read, and a commit that is rolled back or
// run again is told once or not at all.
//
// It is not for production: events have codes in clear, nobody is asked for a password, and it forgets all
// but the last thousand. Applications subscribe to webhooks.
package journal

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// kept is how many events a reader may have missed and still be told.
	kept = 1000
	// beat is how often a stream says that it is still there.
	beat = 15 * time.Second
	// patience is how long one write to a reader may take.
	patience = 10 * time.Second
)

// Journal is what happened. Make one with New.
type Journal struct {
	now func() time.Time

	mu      sync.Mutex
	events  [kept]event   // the last of them: that of number n at n % kept
	last    int64         // the number of the newest; the first is 1
	more    chan struct{} // closed when there is more; nil while nobody waits for that
	closed  bool
	closing chan struct{}
	ends    map[string]ending // of verifications and challenges that are pending, by SID
	ahead   func(serviceSID string) time.Duration
}

// ending is when something expires, by the time of its service.
type ending struct {
	service string
	at      time.Time
}

// event is one thing that happened. Few are ever read, so it becomes text only for a reader.
type event struct {
	number int64
	kind   string
	at     time.Time
	what   any
}

// New makes an empty journal. now dates the events.
func New(now func() time.Time) *Journal {
	return &Journal{now: now, closing: make(chan struct{}), ends: map[string]ending{}, ahead: func(string) time.Duration { return 0 }}
}

// Ahead has ends of a service be by a clock that is ahead. It must be called before the journal is used.
func (j *Journal) Ahead(of func(serviceSID string) time.Duration) { j.ahead = of }

// Add says that something happened. kind names it, and what becomes an object in JSON that says what; it
// gets the keys "type" and "at" in front. The journal keeps what, so nobody may change it any more.
func (j *Journal) Add(kind string, what any) {
	at := j.now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	j.events[j.last%kept] = event{j.last, kind, at, what}
	if j.more != nil {
		close(j.more)
		j.more = nil
	}
}

// NextEnd is when something that it has told of expires next, by the journal's clock; of a service, if it is
// not "".
func (j *Journal) NextEnd(serviceSID string) (end time.Time, found bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.ends {
		if serviceSID != "" && e.service != serviceSID {
			continue
		}
		if t := e.at.Add(-j.ahead(e.service)); !found || t.Before(end) {
			end, found = t, true
		}
	}
	return end, found
}

// Expire tells of what has expired: nobody puts that into a commit of its own.
func (j *Journal) Expire() {
	now := j.now()
	j.mu.Lock()
	var over []string
	for sid, e := range j.ends {
		if !e.at.Add(-j.ahead(e.service)).After(now) {
			over = append(over, sid)
			delete(j.ends, sid)
		}
	}
	j.mu.Unlock()
	slices.Sort(over) // the order of their starts
	for _, sid := range over {
		j.Add("expired", struct {
			SID string `json:"sid"`
		}{sid})
	}
}

// Forget forgets what is to expire: it is not there any more.
func (j *Journal) Forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.ends)
}

// Save is what is to expire.
func (j *Journal) Save() Saved {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Saved{maps.Clone(j.ends)}
}

// Saved is what was to expire once.
type Saved struct{ ends map[string]ending }

// Restore has others be what is to expire.
func (j *Journal) Restore(s Saved) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ends = maps.Clone(s.ends)
}

// pending notes until when something waits, or that it does not wait any more.
func (j *Journal) pending(sid string, waits bool, end ending) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if waits {
		j.ends[sid] = end
	} else {
		delete(j.ends, sid)
	}
}

// Close ends every stream and refuses new ones.
func (j *Journal) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		j.closed = true
		close(j.closing)
	}
}

// after is what happened after a number, as far as it is kept, and a channel that is closed when more has.
func (j *Journal) after(number int64) ([]event, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var happened []event
	for n := max(number, j.last-kept) + 1; n <= j.last; n++ {
		happened = append(happened, j.events[n%kept])
	}
	if j.more == nil {
		j.more = make(chan struct{})
	}
	return happened, j.more
}

func (j *Journal) newest() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// ServeHTTP is the stream. It begins with what comes, or behind the number in Last-Event-ID or in the
// parameter after; after=0 is everything that is still known. The parameter type chooses kinds, with
// commas between them.
func (j *Journal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet {
		h.Set("Allow", http.MethodGet)
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	seen := j.newest()
	asked := r.URL.Query().Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		asked = id
	}
	if asked != "" {
		n, err := strconv.ParseInt(asked, 10, 64)
		if err != nil || n < 0 {
			http.Error(w, "after: want the id of an event", http.StatusBadRequest)
			return
		}
		seen = min(n, seen) // a number from the future is of a server that was here before
	}
	var kinds []string
	if list := r.URL.Query().Get("type"); list != "" {
		kinds = strings.Split(list, ",")
	}
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would wait for a full buffer
	s := stream{w, kinds}
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	err := s.write("retry: 1000\n\n")
	for err == nil {
		happened, more := j.after(seen)
		for _, e := range happened {
			if err = s.tell(e); err != nil {
				return
			}
			seen = e.number
		}
		select {
		case <-more:
		case <-ticker.C:
			err = s.write(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-j.closing:
			return
		}
	}
}

// stream is one reader's connection.
type stream struct {
	w     http.ResponseWriter
	kinds []string // nil for all
}

func (s stream) tell(e event) error {
	if s.kinds != nil && !slices.Contains(s.kinds, e.kind) {
		return nil
	}
	text, err := e.text()
	if err != nil {
		return err
	}
	return s.write(fmt.Sprintf("event: %s\nid: %d\ndata: %s\n\n", e.kind, e.number, text))
}

// text is the event as one object.
func (e event) text() (string, error) {
	rest, err := json.Marshal(e.what)
	if err != nil {
		return "", fmt.Errorf("journal: %s: %w", e.kind, err)
	}
	head := fmt.Sprintf(`{"type":%q,"at":%q`, e.kind, stamp(e.at))
	if len(rest) > len("{}") {
		head += ","
	}
	return head + string(rest[1:]), nil
}

// write moves the server's deadlines, which are set for ordinary requests.
func (s stream) write(text string) error {
	control := http.NewResponseController(s.w)
	_ = control.SetReadDeadline(time.Time{}) // a recorder has none
	_ = control.SetWriteDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(s.w, text); err != nil {
		return err
	}
	return control.Flush()
}
