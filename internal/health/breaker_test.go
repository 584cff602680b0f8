package health

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// take sends n at a time, each with the same outcome, at once.
func take(b *Breaker, now time.Time, n int, o Outcome) {
	for range n {
		b.Begin(now)
		b.End(now, now, o)
	}
}

func TestHalfOfTwentyFailuresOpen(t *testing.T) {
	for _, c := range []struct {
		name                    string
		good, bad, doubt, wrong int
		after                   time.Duration // between the first half of the table and the rest
		want                    State
	}{
		{"nothing", 0, 0, 0, 0, 0, Closed},
		{"nineteen failures", 0, 19, 0, 0, 0, Closed},
		{"twenty failures", 0, 20, 0, 0, 0, Open},
		{"half of twenty", 10, 10, 0, 0, 0, Open},
		{"less than half", 11, 10, 0, 0, 0, Closed},
		{"less than half, though many", 20, 19, 0, 0, 0, Closed},
		{"twenty doubts", 0, 0, 20, 0, 0, Open},
		{"doubts count half", 2, 0, 19, 0, 0, Closed},
		{"the good ones are too old to count", 100, 20, 0, 0, time.Minute, Open},
		{"the good ones are young enough", 100, 19, 0, 0, 50 * time.Second, Closed},
		{"twenty in a row, after any success", 1000, 20, 0, 0, 0, Open},
		{"twenty doubts in a row", 1000, 0, 20, 0, 0, Open},
		{"nine refusals", 100, 0, 0, 9, 0, Closed},
		{"ten refusals in a row", 100, 0, 0, 10, 0, Open},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b Breaker
			take(&b, noon, c.good, Good)
			now := noon.Add(c.after)
			take(&b, now, c.bad, Bad)
			take(&b, now, c.doubt, Doubtful)
			take(&b, now, c.wrong, Refused)
			if got := b.State(now); got != c.want {
				part, of := b.Failing(now)
				t.Errorf("state %v with %.0f%% of %d failing, want %v", got, 100*part, of, c.want)
			}
		})
	}
}

func TestASuccessThatTookLongIsAFailure(t *testing.T) {
	var b Breaker
	for range fewest {
		b.Begin(noon)
		b.End(noon, noon.Add(slow+time.Millisecond), Good)
	}
	if b.State(noon.Add(slow+time.Millisecond)) != Open {
		t.Error("twenty that took more than five seconds leave it closed")
	}
}

// An outcome that is older than the last minute belongs to a slot that counts others by now.
func TestAnOutcomeFromLongAgoForgetsNothing(t *testing.T) {
	var b Breaker
	take(&b, noon, fewest-1, Bad)
	b.End(noon.Add(-slots*slot), noon, Doubtful)
	if part, of := b.Failing(noon); part != 1 || of != fewest-1 {
		t.Errorf("%.0f%% of %d failed, want all of %d", 100*part, of, fewest-1)
	}
}

// A silent other side gives no outcomes for a long time; that is one.
func TestOutcomesThatDoNotComeOpen(t *testing.T) {
	var b Breaker
	for range fewest {
		b.Begin(noon)
	}
	if b.State(noon.Add(4*time.Second)) != Closed {
		t.Error("open before anything could have come")
	}
	if b.State(noon.Add(2*slot)) != Open {
		t.Error("closed though nothing came in ten seconds")
	}
}

func TestOneProbeAtATimeAndTwiceThePause(t *testing.T) {
	var b Breaker
	take(&b, noon, fewest, Bad)
	now := noon
	for _, pause := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		pause *= time.Second
		if b.State(now.Add(pause-1)) != Open {
			t.Fatalf("%s after it opened it is not open", pause-1)
		}
		now = now.Add(pause)
		if b.State(now) != Due || !b.Probe(now) {
			t.Fatalf("%s after it opened nobody may try", pause)
		}
		if b.Probe(now) || b.State(now.Add(time.Second)) != Open {
			t.Fatal("a second one may try")
		}
		b.Begin(now)
		b.End(now, now, Bad)
	}
	if !b.Probe(now.Add(longest)) {
		t.Fatal("nobody may try")
	}
	if !b.Probe(now.Add(longest + probing)) {
		t.Error("a probe that does not come back keeps others away for ever")
	}
	now = now.Add(longest + probing)
	b.Begin(now)
	b.End(now, now, Good)
	if b.State(now) != Closed {
		t.Error("a good probe leaves it open")
	}
	take(&b, now, fewest-1, Bad)
	if b.State(now) != Closed {
		t.Error("what was before the probe still counts")
	}
}

func TestWhatBeganBeforeItOpenedIsNoProbe(t *testing.T) {
	var b Breaker
	b.Begin(noon)
	take(&b, noon.Add(time.Second), fewest, Bad)
	now := noon.Add(time.Second + pause)
	if !b.Probe(now) {
		t.Fatal("nobody may try")
	}
	b.End(noon, now, Good)
	if b.State(now) != Open {
		t.Error("an old success closed it")
	}
}

// Whatever happens: it opens only with twenty outcomes of which half failed, twenty failures in a row or
// ten refusals; and when
// all goes well again it closes.
func TestABreakerOpensForAReasonAndRecovers(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 2))
		var b Breaker
		now, wrong, bad := noon, 0, 0
		failing := random.Float64()
		for range 500 {
			now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
			o := Good
			if random.Float64() < failing {
				o = []Outcome{Bad, Doubtful, Refused}[random.IntN(3)]
			}
			was := b.State(now)
			if was == Due {
				b.Probe(now)
			}
			b.Begin(now)
			b.End(now, now, o)
			if wrong++; o != Refused {
				wrong = 0
			}
			if bad++; o == Good || o == Refused {
				bad = 0
			}
			part, of := b.Failing(now)
			if was == Closed && b.State(now) == Open && wrong < refusals && bad < fewest && (of < fewest || part < share) {
				t.Fatalf("seed %d: opened with %.2f of %d", seed, part, of)
			}
		}
		for range 20 {
			now = now.Add(longest + probing)
			b.Probe(now)
			b.Begin(now)
			b.End(now, now, Good)
		}
		if b.State(now) != Closed {
			t.Fatalf("seed %d: does not recover", seed)
		}
	}
}

func ExampleBreaker() {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var b Breaker
	for range 20 {
		b.Begin(now)
		b.End(now, now, Bad)
	}
	fmt.Println(b.State(now) == Open, b.State(now.Add(10*time.Second)) == Due)
	// Output: true true
}
