package verify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

const day = 24 * time.Hour

// limited is a world with the limits of a server.
func limited(t *testing.T, settings verify.ServiceParams) *world {
	t.Helper()
	w := newWorld(t, settings)
	w.Limits = verify.BuiltIn()
	return w
}

func wantRetry(t *testing.T, err error, code verify.Code, after time.Duration) {
	t.Helper()
	refused := refusal(err)
	if refused == nil || refused.Code != code || refused.RetryAfter != after {
		t.Fatalf("got %+v (%v), want code %d after %s", refused, err, code, after)
	}
}

// guessWrong checks wrong codes until the verification takes no more, at most n. It returns how
// many were compared.
func (w *world) guessWrong(v *verify.Verification, n int) (compared int) {
	w.t.Helper()
	code := other(w.code(v))
	for range n {
		_, outcome, err := w.check(v.To, code)
		if outcome != verify.CodeWrong {
			wantCode(w.t, err, verify.CodeMaxChecks, "")
			return compared
		}
		compared++
	}
	return compared
}

func (w *world) cancel(v *verify.Verification) {
	w.t.Helper()
	status := string(verify.Canceled)
	if _, err := w.UpdateVerification(w.t.Context(), w.account, w.service, v.SID, &status); err != nil {
		w.t.Fatal(err)
	}
}

// siege guesses at one number as often as it is allowed now, ending every verification at once.
func (w *world) siege(to string) (compared int, last error) {
	w.t.Helper()
	for range 200 {
		v, err := w.start(to, "sms")
		if err != nil {
			return compared, err
		}
		compared += w.guessWrong(v, 10)
		w.cancel(v)
		w.advance(time.Second)
	}
	w.t.Fatalf("nothing stopped it after %d guesses", compared)
	return 0, nil
}

func TestGuessesInADay(t *testing.T) {
	yes := true
	length := func(n int) verify.ServiceParams { return verify.ServiceParams{CodeLength: &n} }
	for name, c := range map[string]struct {
		settings verify.ServiceParams
		want     int
	}{
		"4 digits":  {length(4), 5},
		"5 digits":  {length(5), 10},
		"6 digits":  {length(6), 25},
		"10 digits": {length(10), 25},
		"payments":  {verify.ServiceParams{PSD2Enabled: &yes}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			w := limited(t, c.settings)
			w.payment = c.settings.PSD2Enabled != nil
			begun := w.clock()
			got, err := w.siege(ana)
			if got != c.want {
				t.Errorf("%d guesses were compared, want %d", got, c.want)
			}
			refused := refusal(err)
			if refused == nil || refused.Code != verify.CodeMaxChecks || refused.RetryAfter > day || refused.RetryAfter < day-time.Minute {
				t.Fatalf("the siege ended with %+v, want 60202 for a day", refused)
			}
			// Trying on does not make it longer, and when it is told, the owner can start.
			w.advance(refused.RetryAfter / 2)
			if _, err := w.start(ana, "sms"); refusal(err) == nil {
				t.Fatalf("half of the wait later: %v", err)
			}
			w.advance(refused.RetryAfter - refused.RetryAfter/2)
			v := w.mustStart(ana, "sms")
			if at := w.clock().Sub(begun); at > day+time.Minute {
				t.Errorf("the lock lasted %s", at)
			}
			if _, outcome, err := w.check(ana, w.code(v)); outcome != verify.CodeRight {
				t.Errorf("the owner's code: %v, %v", outcome, err)
			}
		})
	}
}

func TestAnApprovalForgivesGuesses(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.Limits.Sends = nil
	for range 20 { // who mistypes every time is never stopped
		v := w.mustStart(ana, "sms")
		w.guessWrong(v, 4)
		if _, outcome, err := w.check(ana, w.code(v)); outcome != verify.CodeRight {
			t.Fatalf("%v, %v", outcome, err)
		}
		w.advance(time.Minute)
	}
	v := w.mustStart(ana, "sms")
	w.guessWrong(v, 4)
	approved := string(verify.Approved)
	if _, err := w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &approved); err != nil {
		t.Fatal(err)
	}
	if next := w.mustStart(ana, "sms"); len(next.History.Times) != 0 || next.History.Failed != 0 || !next.HeldUntil.IsZero() {
		t.Errorf("after the customer's word: %+v, held until %s", next.History, next.HeldUntil)
	}
}

func TestTheLockIsOfOneNumberInOneService(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	if _, err := w.siege(ana); refusal(err) == nil {
		t.Fatal(err)
	}
	w.mustStart("+34612345679", "sms")
	w.mustStart("ana@example.com", "email")
	name := "Another"
	s, err := w.CreateService(t.Context(), w.account, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	w.service = s.SID
	w.mustStart(ana, "sms")
}

func TestTheCustomerForgives(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	to, channel, yes := ana, "sms", true
	forgiving := verify.StartParams{To: &to, Channel: &channel, ForgiveGuesses: &yes}
	v := w.mustStart(ana, "sms")
	w.guessWrong(v, 5)
	if _, err := w.start(ana, "sms"); refusal(err) == nil || refusal(err).RetryAfter != 10*time.Minute {
		t.Fatalf("after five wrong codes: %+v, want the rest of the ten minutes", refusal(err))
	}
	next, err := w.StartVerification(t.Context(), w.account, w.service, forgiving)
	if err != nil || next.SID == v.SID || next.History.Failed != 0 || next.MaxChecks != 5 {
		t.Fatalf("forgiven: %+v, %v", next, err)
	}
	w.guessWrong(next, 2)
	w.advance(time.Second)
	resent, err := w.StartVerification(t.Context(), w.account, w.service, forgiving)
	if err != nil || resent.SID != next.SID || resent.History.Failed != 0 || resent.Checks != 2 || !resent.HeldUntil.IsZero() {
		t.Fatalf("forgiven in a resend: %+v, %v", resent, err)
	}
}

// After a hundred wrong codes in a row five a day are left, for as long as the siege lasts.
func TestALongSiege(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	var perDay []int
	for range 10 {
		n, err := w.siege(ana)
		perDay = append(perDay, n)
		wait := refusal(err).RetryAfter
		w.advance(wait + time.Minute) // all of them are a day old
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{25, 25, 25, 25, 5, 5, 5, 5, 5, 5}; !slices.Equal(perDay, want) {
		t.Errorf("guesses a day: %v, want %v", perDay, want)
	}
}

// Whatever one does with one number, no day has more compared wrong codes than the promise, and
// forgotten is only what no longer matters.
func TestNoWayAroundTheGuessLimit(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			codeLength, ttl, checks := 4+r.IntN(3), 120+r.IntN(86400-120), 1+r.IntN(10)
			w := limited(t, verify.ServiceParams{CodeLength: &codeLength, CodeTTL: &ttl, MaxChecks: &checks})
			promise := map[int]int{4: 5, 5: 10, 6: 25}[codeLength]
			var guesses []time.Time
			var v *verify.Verification
			for range 800 {
				switch r.IntN(10) {
				case 0:
					w.advance(time.Duration(r.Int64N(int64(6 * time.Hour))))
				case 1:
					w.advance(time.Duration(r.Int64N(int64(time.Hour))))
				case 2:
					if err := w.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				case 3:
					status := string(verify.Canceled)
					_, _ = w.UpdateVerification(t.Context(), w.account, w.service, ana, &status)
				case 4, 5:
					w.advance(time.Second)
					if next, err := w.start(ana, "sms"); err == nil {
						v = next
					}
				default:
					if v == nil {
						continue
					}
					if _, outcome, _ := w.check(ana, "wrong"); outcome == verify.CodeWrong {
						guesses = append(guesses, w.clock())
					}
				}
			}
			if len(guesses) < promise {
				t.Errorf("%d guesses were compared, which says nothing", len(guesses))
			}
			for i := range guesses {
				n := 0
				for _, at := range guesses[i:] {
					if at.Before(guesses[i].Add(day)) {
						n++
					}
				}
				if n > promise {
					t.Fatalf("%d guesses in the day from %s, promised are %d", n, guesses[i], promise)
				}
			}
		})
	}
}

func TestAVerificationIsHeldForItsGuesses(t *testing.T) {
	for name, c := range map[string]struct {
		guesses int
		held    time.Duration
	}{
		"none":           {0, 0},
		"a slip":         {1, day},
		"five":           {5, day},
		"more than five": {6, 30 * day},
	} {
		t.Run(name, func(t *testing.T) {
			w := limited(t, verify.ServiceParams{})
			left := c.guesses
			for left > 0 {
				v := w.mustStart(ana, "sms")
				left -= w.guessWrong(v, left)
				w.cancel(v)
			}
			if c.guesses == 0 {
				w.cancel(w.mustStart(ana, "sms"))
			}
			remembered := max(c.held, 10*time.Minute+time.Hour)
			current := func() bool {
				t.Helper()
				if err := w.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				_, err := w.Verification(t.Context(), w.account, w.service, ana)
				return err == nil
			}
			w.advance(remembered - time.Second)
			if !current() {
				t.Errorf("it was forgotten before %s", remembered)
			}
			w.advance(time.Hour) // the next sweep that looks at all
			if current() {
				t.Errorf("it is remembered an hour after %s", remembered)
			}
		})
	}
}

// gated is a store whose Updates wait at a gate.
type gated struct {
	verify.Store
	entered, open chan struct{}
}

func (g gated) Update(ctx context.Context, fn func(verify.Tx) error) error {
	g.entered <- struct{}{}
	<-g.open
	return g.Store.Update(ctx, fn)
}

// However many come while a start is under way, one waits for it and the others are refused: of fifty
// at once two are admitted, and they are one verification.
func TestFiftyStartsWhileOneIsUnderWay(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.Limits.InFlight.Wait = time.Hour // of a real clock: as long as the refusals may take
	gate := gated{w.Engine.Store, make(chan struct{}, 50), make(chan struct{})}
	w.Engine.Store = gate
	sids, refusals := make(chan string, 50), make(chan error, 50)
	start := func() {
		v, err := w.start(ana, "sms")
		if err != nil {
			refusals <- err
			return
		}
		sids <- v.SID
	}
	go start()
	<-gate.entered
	for range 49 {
		go start()
	}
	for range 48 {
		wantRetry(t, <-refusals, verify.CodeBurst, time.Hour)
	}
	close(gate.open)
	if first, second := <-sids, <-sids; first != second {
		t.Errorf("two verifications: %s and %s", first, second)
	}
	w.Engine.Store = gate.Store
	v, err := w.Verification(t.Context(), w.account, w.service, ana)
	if err != nil || len(v.Sends) != 2 || v.History.Starts.Count != 2 {
		t.Errorf("after fifty starts: %+v, %v; want two sends", v, err)
	}
}

// Starts that do not meet on one node are bounded by what is counted.
func TestABurstOfStarts(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.Limits.InFlight = verify.InFlightLimit{}
	var started, refused atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := w.start(ana, "sms")
			switch got := refusal(err); {
			case err == nil:
				started.Add(1)
			case got != nil && got.Code == verify.CodeBurst && got.RetryAfter == time.Second:
				refused.Add(1)
			default:
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	if started.Load() != 3 || refused.Load() != 47 {
		t.Errorf("%d started and %d were refused, want 3 and 47", started.Load(), refused.Load())
	}
	// A cancellation does not begin another burst.
	v, err := w.Verification(t.Context(), w.account, w.service, ana)
	if err != nil {
		t.Fatal(err)
	}
	w.cancel(v)
	_, err = w.start(ana, "sms")
	wantRetry(t, err, verify.CodeBurst, time.Second)
	w.advance(time.Second)
	w.mustStart(ana, "sms")
}

func TestFetchingIsLimited(t *testing.T) {
	ttl := 86400
	w := limited(t, verify.ServiceParams{CodeTTL: &ttl})
	v, another := w.mustStart(ana, "sms"), w.mustStart("+34612345679", "sms")
	fetch := func(of string) error {
		_, err := w.Verification(t.Context(), w.account, w.service, of)
		return err
	}
	for _, c := range []struct {
		pause time.Duration
		n     int           // fetches that succeed
		after time.Duration // what the next is told
	}{
		{0, 60, time.Minute}, {time.Minute, 60, time.Minute}, {time.Minute, 60, 58 * time.Minute},
		{58 * time.Minute, 60, time.Minute}, {time.Minute, 10, day - time.Hour - time.Minute},
	} {
		w.advance(c.pause)
		for i := range c.n {
			if err := fetch([]string{v.SID, ana}[i%2]); err != nil {
				t.Fatalf("fetch %d: %v", i, err)
			}
		}
		wantRetry(t, fetch(v.SID), verify.CodeTooManyRequests, c.after)
		if err := fetch(another.SID); err != nil {
			t.Fatalf("another one: %v", err)
		}
	}
}

func TestADeveloperHasNoLimits(t *testing.T) {
	w := newWorld(t, verify.ServiceParams{})
	for range 30 {
		v := w.mustStart(ana, "sms")
		for range 5 {
			if _, err := w.Verification(t.Context(), w.account, w.service, v.SID); err != nil {
				t.Fatal(err)
			}
		}
		w.guessWrong(v, 5)
		w.cancel(v)
	}
}
