package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/ratelimit"
	"github.com/verifyd/verifyd/internal/verify"
)

// The numbers of a room.
const (
	// fewestPlaces is what a provider has that nothing is known of.
	fewestPlaces = 16
	// patience is how long a message waits for a place before it goes another way, and the least that
	// a provider may go without an answer before it is silent: a person who waits for a code notices
	// more than that.
	patience = 500 * time.Millisecond
	// atOnce is how soon a failure comes that the other side has spoken of. What comes later may be the
	// end of a wait: for a connection, for a place in a window.
	atOnce = patience / 2
	// longSilence is the most that one may, however slow it is.
	longSilence = 5 * time.Second
	// usual is by how much a silence is longer than what a provider takes usually.
	usual = 4
	// looks is how often the room of a provider that uses less of it becomes smaller.
	looks = 10 * time.Second
	// throttlePause is the pause of a provider that says that we are too fast, and not for how long.
	throttlePause = time.Second
	// manyComplaints in a row, with nothing taken between them, are about all messages.
	manyComplaints = 3
	// soon is the least time that a message stays away that found no room with a provider that answers.
	soon = 100 * time.Millisecond
	// comingBack is how many messages that found no room with anybody are looked at again in a second, at
	// least, and longestAway how long one stays away.
	comingBack  = 256
	longestAway = 30 * time.Second
)

// room is how many messages of one channel a provider may have in hand. It is a window as TCP has one: it
// grows with the answers that come while it is full, so that a provider has about as many places as it has
// messages under way when it is well, and no more. One that falls silent with all of them holds few; nobody
// waits for it, and it has one place until it answers.
type room struct {
	places int
	taken  int
	queue  []chan bool // of those who wait for a place, true is one
	heard  time.Time   // the last answer, or when it was given a message while it had none
	took   time.Duration
	most   int // that were taken since
	since  time.Time
	shut   time.Time // until then it takes nothing: it throttles
	// complaints are how many messages in a row were too fast for it.
	complaints int
	// answers are those in the stretch of time of that number, before those in the one before; a stretch
	// is as long as patience.
	stretch         int64
	answers, before int
	back            ratelimit.Pace // of the messages that found no room
}

// open makes a room of a provider that nothing is known of.
func (r *room) open(most int, now time.Time) {
	if r.places == 0 {
		r.places, r.since = min(fewestPlaces, most), now
	}
}

// unheard reports whether a provider has answered nothing for longer than it usually takes.
func (r *room) unheard(now time.Time) bool {
	return now.Sub(r.heard) >= min(max(patience, usual*r.took), longSilence)
}

// silent reports whether a provider has all that it may have, and answers nothing.
func (r *room) silent(now time.Time) bool {
	if r.taken < r.places || !r.unheard(now) {
		return false
	}
	r.narrow()
	return true
}

// narrow leaves a silent provider one place, and sends those away who wait for one.
func (r *room) narrow() {
	r.places = 1
	r.dismiss()
}

// take takes a place if there is one.
func (r *room) take(now time.Time) bool {
	if now.Sub(r.since) >= looks {
		if used := max(2*r.most, fewestPlaces); used < r.places {
			r.places = used
		}
		r.most, r.since = r.taken, now
	}
	if r.taken >= r.places {
		return false
	}
	if r.taken == 0 {
		r.heard = now
	}
	r.taken++
	r.most = max(r.most, r.taken)
	return true
}

// giveBack gives a place back after a hand-over that took so long. answered says whether the provider
// said anything, taken whether that was that it takes the message.
func (r *room) giveBack(now time.Time, took time.Duration, answered, taken bool, most int) {
	switch {
	case !answered && r.unheard(now):
		r.narrow() // whoever was in it gave up
	case answered:
		r.heard = now
		r.turn(now)
		r.answers++
		if r.taken >= r.places {
			r.places = min(r.places+1, most)
		}
	}
	if taken {
		r.complaints = 0
		if r.took == 0 {
			r.took = took
		}
		r.took += (took - r.took) / 8
	}
	r.leave(now)
}

// leave gives a place back to whoever waits for one.
func (r *room) leave(now time.Time) {
	r.taken--
	for len(r.queue) > 0 && r.take(now) {
		r.queue[0] <- true
		r.queue = r.queue[1:]
	}
}

// turn begins a new stretch of time if it is time.
func (r *room) turn(now time.Time) {
	switch n := now.UnixNano() / int64(patience); n - r.stretch {
	case 0:
	case 1:
		r.stretch, r.answers, r.before = n, 0, r.answers
	default:
		r.stretch, r.answers, r.before = n, 0, 0
	}
}

// crowded reports whether so many wait for a place that another one would wait in vain.
func (r *room) crowded(now time.Time) bool {
	r.turn(now)
	return len(r.queue) >= max(2*r.places, r.answers, r.before)
}

// away is how long a message stays in the queue that found no room. They come back evenly, so that many
// thousands of them do no more work than some, and about as fast as the provider takes them; soon, if it
// takes any.
func (r *room) away(now time.Time) time.Duration {
	r.turn(now)
	r.back.PerSecond = max(comingBack, float64(2*max(r.answers, r.before))/patience.Seconds())
	least := soon
	if r.unheard(now) {
		least = throttlePause
	}
	return min(max(r.back.Take(now), least), longestAway)
}

// throttle heeds a complaint, if it is not the first: that may be about one number alone. What was under
// way brings as many of them, and they are one.
func (r *room) throttle(now time.Time, pause time.Duration) {
	r.complaints++
	if r.complaints < manyComplaints || now.Before(r.shut) {
		return
	}
	if pause <= 0 {
		pause = throttlePause
	}
	r.shut = now.Add(pause)
	r.places = max(r.places/2, 1)
	r.dismiss()
}

// dismiss sends those away who wait for a place.
func (r *room) dismiss() {
	for _, waiting := range r.queue {
		waiting <- false
	}
	r.queue = nil
}

// admit takes a place if there is one and nobody waits for it.
func (w *Worker) admit(r *room, now time.Time) bool {
	if w.MostInFlight == 0 {
		r.taken++
		return true
	}
	r.open(w.MostInFlight, now)
	return len(r.queue) == 0 && r.take(now)
}

// enter takes a place in a provider's room for a message. A patient one waits for it if need be, but not for
// a provider that is silent, nor in a crowd: whoever waits here has a place of its lane, which others need.
func (w *Worker) enter(ctx context.Context, by way, patient bool) bool {
	f := &w.fit
	f.mu.Lock()
	r, now := f.carrier(by.provider, w.TPS).room(by.channel), w.Now()
	if w.admit(r, now) {
		f.mu.Unlock()
		return true
	}
	if !patient || r.silent(now) || r.crowded(now) {
		f.mu.Unlock()
		return false
	}
	mine := make(chan bool, 1)
	r.queue = append(r.queue, mine)
	f.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case got := <-mine:
		return got
	case <-timer.C:
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case got := <-mine: // at the last moment
		return got
	default:
	}
	if i := slices.Index(r.queue, mine); i >= 0 {
		r.queue = slices.Delete(r.queue, i, i+1)
	}
	r.silent(w.Now())
	return false
}

// away is how long a message stays in the queue for which none of several providers has room: until one of
// those that answer may have some.
func (w *Worker) away(names []string, channel verify.Channel, now time.Time) time.Duration {
	w.fit.mu.Lock()
	defer w.fit.mu.Unlock()
	best := w.fit.carrier(names[0], w.TPS).room(channel)
	for _, name := range names[1:] {
		if r := w.fit.carrier(name, w.TPS).room(channel); best.unheard(now) && !r.unheard(now) {
			best = r
		}
	}
	return best.away(now)
}
