package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

var (
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	texts = way{"a", verify.SMS, "ES"}
	calls = way{"a", verify.Call, "ES"}
)

// filled is a room that has given out all its places at noon.
func filled(t *testing.T) *room {
	t.Helper()
	r := &room{}
	r.open(128, noon)
	for range fewestPlaces {
		if !r.take(noon) {
			t.Fatal("a new room is smaller than it should be")
		}
	}
	if r.take(noon) {
		t.Fatalf("a new room has more than %d places", fewestPlaces)
	}
	return r
}

func TestARoomGrowsWhileItIsFullAndAnswersCome(t *testing.T) {
	r, now := filled(t), noon
	for range 200 {
		now = now.Add(time.Millisecond)
		r.giveBack(now, 20*time.Millisecond, true, true, 128)
		for r.take(now) {
		}
	}
	if r.places != 128 {
		t.Errorf("%d places after many answers, want the most that there are", r.places)
	}
	for range 128 {
		r.giveBack(now, 20*time.Millisecond, true, true, 128)
	}
	for range 3 {
		now = now.Add(looks)
		if !r.take(now) {
			t.Fatal("no place in an empty room")
		}
		r.giveBack(now, 20*time.Millisecond, true, true, 128)
	}
	if r.places != fewestPlaces {
		t.Errorf("%d places after half a minute of one message at a time, want %d: a provider that falls silent holds them all", r.places, fewestPlaces)
	}
}

func TestAProviderIsSilentByWhatItTakesUsually(t *testing.T) {
	for _, c := range []struct {
		usual, since time.Duration
		silent       bool
	}{
		{0, patience - 1, false},
		{0, patience, true},
		{20 * time.Millisecond, patience - 1, false},
		{20 * time.Millisecond, patience, true},
		{time.Second, 4*time.Second - 1, false},
		{time.Second, 4 * time.Second, true},
		{10 * time.Second, longSilence, true},
	} {
		r := filled(t)
		r.took = c.usual
		if got := r.silent(noon.Add(c.since)); got != c.silent {
			t.Errorf("one that takes %s, after %s: silent is %v", c.usual, c.since, got)
		}
	}
}

func TestASilentProviderHasOnePlaceUntilItAnswers(t *testing.T) {
	r := filled(t)
	waiting := make(chan bool, 1)
	r.queue = append(r.queue, waiting)
	now := noon.Add(patience)
	if !r.silent(now) || r.places != 1 {
		t.Fatalf("%d places", r.places)
	}
	if got := <-waiting; got {
		t.Error("who waited was let in")
	}
	now = noon.Add(10 * time.Second)
	for range fewestPlaces { // nothing came back
		r.giveBack(now, 10*time.Second, false, false, 128)
	}
	if !r.take(now) || r.take(now) {
		t.Error("a provider that was silent is tried by one message")
	}
	r.giveBack(now.Add(time.Millisecond), time.Millisecond, true, true, 128)
	taken := 0
	for r.take(now) {
		taken++
	}
	if taken != 2 {
		t.Errorf("and after its answer by %d, want two", taken)
	}
	// It is full, and answered just now.
	if r.silent(now.Add(patience - 1)) {
		t.Error("an answer does not end the silence")
	}
}

func TestOneComplaintShutsNobodyOut(t *testing.T) {
	r := filled(t)
	for range manyComplaints - 1 {
		r.throttle(noon, 0)
	}
	if !r.shut.IsZero() {
		t.Error("a complaint about one number stops all messages")
	}
	r.giveBack(noon, 0, true, true, 128)
	r.throttle(noon, 0)
	if !r.shut.IsZero() {
		t.Error("complaints with a message taken between them are counted on")
	}
	r.throttle(noon, 0)
	r.throttle(noon, 0)
	if want := noon.Add(throttlePause); r.shut != want || r.places != (fewestPlaces+1)/2 {
		t.Errorf("shut until %s, %d places", r.shut, r.places)
	}
	r.throttle(noon, 2*time.Second)
	if want := noon.Add(throttlePause); r.shut != want {
		t.Errorf("a complaint of what was under way makes the pause longer: until %s", r.shut)
	}
}

func TestWhoWaitsHasTheNextPlace(t *testing.T) {
	r := filled(t)
	first, second := make(chan bool, 1), make(chan bool, 1)
	r.queue = append(r.queue, first, second)
	r.giveBack(noon, 0, false, false, 128)
	if len(first) != 1 || len(second) != 0 || !<-first || r.taken != fewestPlaces {
		t.Errorf("%d and %d were called, %d places are taken", len(first), len(second), r.taken)
	}
}

// Two wait for room while the pace has one place. Whoever gets room second gives it back at once.
func TestWhoGotRoomWhenThePaceIsGoneLeavesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Worker{MostInFlight: 1, TPS: map[string]float64{"a": 1}, Now: time.Now}
		room := w.fit.carrier("a", w.TPS).room(verify.SMS)
		if got, _, _ := w.place(t.Context(), texts, false, true); !got {
			t.Fatal("the first has no place")
		}
		time.Sleep(time.Second)
		room.heard = time.Now()
		type answer struct {
			got  bool
			wait time.Duration
		}
		answers := make(chan answer, 2)
		for range 2 {
			go func() {
				got, wait, _ := w.place(t.Context(), texts, false, true)
				answers <- answer{got, wait}
			}()
		}
		synctest.Wait()
		for _, want := range []answer{{true, 0}, {false, time.Second}} {
			w.fit.mu.Lock()
			room.leave(time.Now())
			w.fit.mu.Unlock()
			if got := <-answers; got != want {
				t.Errorf("got a place: %v, after %s; want %v, %s", got.got, got.wait, want.got, want.wait)
			}
		}
		if room.taken != 0 {
			t.Errorf("%d places are taken by nobody", room.taken)
		}
		time.Sleep(time.Second)
		if got, _, _ := w.place(t.Context(), texts, false, false); !got {
			t.Error("the next second has no place: one was spent on who was not sent")
		}
	})
}

// An answer to a text says nothing of calls: whoever has one waits for nobody who answers none.
func TestCallsFallSilentThoughTextsAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Worker{MostInFlight: 2, Now: time.Now}
		take := func(by way) bool {
			got, _, _ := w.place(t.Context(), by, false, true)
			return got
		}
		for range 2 {
			if !take(calls) {
				t.Fatal("no place for one of the first calls")
			}
		}
		time.Sleep(patience)
		if !take(texts) {
			t.Fatal("a text has no place because two calls hang")
		}
		now := time.Now()
		w.begin(texts, now)
		w.end(texts, now, now, nil)
		if take(calls) || time.Since(now) != 0 {
			t.Errorf("a third call waited %s for a provider that answers none", time.Since(now))
		}
		for range 2 {
			if !take(texts) {
				t.Error("texts have fewer places because calls hang")
			}
		}
	})
}

// The pace is agreed with the other side, and one message is as good as another for it. Pauses are by channel.
func TestThePaceIsOneForAllChannels(t *testing.T) {
	w := &Worker{MostInFlight: 2, TPS: map[string]float64{"a": 1}, Now: func() time.Time { return noon }}
	if got, _, _ := w.place(t.Context(), calls, false, true); !got {
		t.Fatal("the first has no place")
	}
	if got, wait, why := w.place(t.Context(), texts, false, true); got || wait != time.Second {
		t.Errorf("a text in the same second: %v, after %s, %q", got, wait, why)
	}
	w = &Worker{MostInFlight: 2, Now: w.Now}
	for range manyComplaints {
		if got, _, why := w.place(t.Context(), calls, false, true); !got {
			t.Fatal(why)
		}
		w.begin(calls, noon)
		w.end(calls, noon, noon, &provider.Error{Class: provider.Throttled})
	}
	if got, wait, _ := w.place(t.Context(), calls, false, true); got || wait != throttlePause {
		t.Errorf("a call after %d complaints: %v, after %s", manyComplaints, got, wait)
	}
	if got, _, why := w.place(t.Context(), texts, false, true); !got {
		t.Errorf("a text, of which nobody complained: %s", why)
	}
}

// Who does not wait, and finds no room, spends nothing of the pace either.
func TestAnImpatientMessageThatFindsNoRoomSpendsNothing(t *testing.T) {
	now := noon
	w := &Worker{MostInFlight: 1, TPS: map[string]float64{"a": 1}, Now: func() time.Time { return now }}
	got, _, _ := w.place(t.Context(), texts, false, false)
	now = noon.Add(time.Second)
	if second, wait, _ := w.place(t.Context(), texts, false, false); !got || second || wait > 0 {
		t.Fatalf("the first: %v, the second: %v, after %s", got, second, wait)
	}
	if wait := w.fit.carrier("a", w.TPS).pace.Wait(now); wait > 0 {
		t.Errorf("the next place of the pace is in %s", wait)
	}
}

func TestWhatFoundNoRoomComesBackSoonWhereThereIsAnAnswer(t *testing.T) {
	r := filled(t)
	if got := r.away(noon.Add(time.Millisecond)); got != soon {
		t.Errorf("a provider that answers: after %s", got)
	}
	if got := r.away(noon.Add(time.Hour)); got != throttlePause {
		t.Errorf("a silent one: after %s", got)
	}
	var last time.Duration
	for range 10_000 {
		last = r.away(noon.Add(time.Hour))
	}
	if last != longestAway {
		t.Errorf("the last of ten thousand: after %s", last)
	}
}

func TestAsManyWaitAsAreAnsweredMeanwhile(t *testing.T) {
	r := filled(t)
	for range 2 * fewestPlaces {
		if r.crowded(noon) {
			t.Fatal("too few may wait")
		}
		r.queue = append(r.queue, make(chan bool, 1))
	}
	if !r.crowded(noon) {
		t.Error("nobody was answered, and still more may wait")
	}
	for range 100 {
		r.turn(noon)
		r.answers++
	}
	if r.crowded(noon) || r.crowded(noon.Add(patience)) || !r.crowded(noon.Add(2*patience)) {
		t.Error("a hundred were answered in half a second: as many may wait, until a second later")
	}
}
