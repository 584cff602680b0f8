package factor_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/verify"
)

// shown is what an app with a seed shows after some steps.
func (w *world) shown(seed string, c *factor.TOTPConfig, steps int) string {
	w.t.Helper()
	secret, ok := otp.ParseSecret(seed)
	if !ok {
		w.t.Fatalf("%q is no seed", seed)
	}
	rule := otp.TOTP{Hash: c.Alg, Step: time.Duration(c.TimeStep) * time.Second, Digits: c.CodeLength, Skew: c.Skew}
	return rule.Code(secret, w.clock().Add(time.Duration(steps)*rule.Step))
}

// appCode is what the app with the sample seed shows.
func (w *world) appCode(c *factor.TOTPConfig, steps int) string { return w.shown(sample, c, steps) }

// wrongAppCode is none that the app shows now, before or afterwards.
func (w *world) wrongAppCode(c *factor.TOTPConfig) string {
	w.t.Helper()
	right := map[string]bool{}
	for steps := -3; steps <= 3; steps++ {
		right[w.appCode(c, steps)] = true
	}
	for code := w.appCode(c, 0); ; {
		if code = other(code); !right[code] {
			return code
		}
	}
}

const day = 24 * time.Hour

// other is a code that is not the one.
func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// limitedApp is a verified app in a world with the limits of a server.
func limitedApp(t *testing.T, codeLength, skew int) (*world, *factor.NewFactor) {
	t.Helper()
	w := newWorld(t, verify.ServiceParams{TOTPCodeLength: &codeLength, TOTPSkew: &skew})
	w.Limits = verify.BuiltIn()
	f := w.app(ann)
	if got, err := w.confirm(f, w.appCode(f.Config.TOTP, 0)); err != nil || got.Status != factor.Verified {
		t.Fatalf("%+v, %v", got, err)
	}
	w.advance(time.Hour)
	return w, f
}

// siegeApp guesses at an app as often as it is allowed now, over one challenge after the other.
func (w *world) siegeApp(f *factor.NewFactor) (compared int, last error) {
	w.t.Helper()
	for range 40 {
		c, err := w.ask(f, w.wrongAppCode(f.Config.TOTP))
		if err != nil {
			return compared, err
		}
		compared++
		for c.WrongAnswers < 5 {
			if c, err = w.answer(c, w.wrongAppCode(f.Config.TOTP)); err != nil {
				return compared, err
			}
			compared++
		}
		w.advance(time.Second)
	}
	w.t.Fatalf("nothing stopped it after %d guesses", compared)
	return 0, nil
}

// A day's guesses hit with a chance of at most 1 in 10,000, but five of them may always be made.
func TestGuessesAtAnAppInADay(t *testing.T) {
	for _, c := range []struct{ codeLength, skew, want int }{
		{6, 0, 25}, {6, 1, 25}, {6, 2, 20}, {7, 2, 25}, {8, 1, 25}, {5, 0, 10}, {5, 1, 5}, {4, 0, 5}, {3, 2, 5},
	} {
		w, f := limitedApp(t, c.codeLength, c.skew)
		got, err := w.siegeApp(f)
		if got != c.want {
			t.Errorf("%d digits, skew %d: %d guesses were compared, want %d", c.codeLength, c.skew, got, c.want)
		}
		refused := refusal(err)
		if refused == nil || refused.Code != factor.CodeChallengeAnswers || refused.RetryAfter > day || refused.RetryAfter < day-time.Minute {
			t.Fatalf("%d digits, skew %d: the siege ended with %+v, want 60308 for a day", c.codeLength, c.skew, refused)
		}
		// The right code is not read either, trying on does not make it longer, and when it is told, the
		// owner is let in.
		w.advance(refused.RetryAfter - time.Second)
		if _, err := w.ask(f, w.appCode(f.Config.TOTP, 0)); refusal(err) == nil || refusal(err).RetryAfter != time.Second {
			t.Errorf("a second before the end: %v", err)
		}
		w.advance(time.Second)
		if got, err := w.ask(f, w.appCode(f.Config.TOTP, 0)); err != nil || got.Status != factor.ChallengeApproved {
			t.Errorf("the owner's code after the wait: %+v, %v", got, err)
		}
	}
}

func TestARightAppCodeForgivesGuesses(t *testing.T) {
	w, f := limitedApp(t, 6, 1)
	for range 10 {
		c, err := w.ask(f, w.wrongAppCode(f.Config.TOTP))
		for range 3 {
			if err == nil {
				c, err = w.answer(c, w.wrongAppCode(f.Config.TOTP))
			}
		}
		if err == nil {
			c, err = w.answer(c, w.appCode(f.Config.TOTP, 0))
		}
		if err != nil || c.Status != factor.ChallengeApproved {
			t.Fatalf("%+v, %v", c, err)
		}
		w.advance(time.Minute)
	}
}

// An account's other factors, and a challenge that can wait, are not touched.
func TestTheLockIsOfOneApp(t *testing.T) {
	w, f := limitedApp(t, 6, 1)
	if _, err := w.siegeApp(f); refusal(err) == nil {
		t.Fatal(err)
	}
	waiting, err := w.CreateChallenge(t.Context(), w.account, w.service, ann, factor.ChallengeParams{FactorSID: &f.SID})
	if err != nil || waiting.WrongAnswers != 0 {
		t.Errorf("a challenge that is not answered at once: %+v, %v", waiting, err)
	}
	const another = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	spare, err := w.enrol(ann, another)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.confirm(spare, w.shown(another, spare.Config.TOTP, 0)); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Minute)
	if c, err := w.ask(spare, w.shown(another, spare.Config.TOTP, 0)); err != nil || c.Status != factor.ChallengeApproved {
		t.Errorf("another app: %+v, %v", c, err)
	}
}

// A hundred at once, over twenty challenges: as many are compared as a day allows.
func TestAHundredGuessesAtAnAppAtOnce(t *testing.T) {
	w, f := limitedApp(t, 6, 1)
	var all []*factor.Challenge
	for range 20 {
		c, err := w.CreateChallenge(t.Context(), w.account, w.service, ann, factor.ChallengeParams{FactorSID: &f.SID})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	code := w.wrongAppCode(f.Config.TOTP)
	var wrong, refused atomic.Int64
	together(func(i int) {
		_, err := w.answer(all[i%20], code)
		switch got := refusal(err); {
		case err == nil:
			wrong.Add(1)
		case got != nil && got.Code == factor.CodeChallengeAnswers && got.RetryAfter == day:
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if wrong.Load() != 25 || refused.Load() != 75 {
		t.Errorf("%d were compared and %d refused, want 25 and 75", wrong.Load(), refused.Load())
	}
}

// Whatever one does with one app, no day has more wrong codes than the promise, and after a hundred in
// a row five a day are left.
func TestNoWayAroundTheGuessLimitOfAnApp(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 4))
		w, f := limitedApp(t, 6, 1)
		var guesses []time.Time
		var c *factor.Challenge
		for range 600 {
			w.advance(time.Duration(r.ExpFloat64() * float64(15*time.Minute)))
			code := w.wrongAppCode(f.Config.TOTP)
			var next *factor.Challenge
			var err error
			if c == nil || r.IntN(5) == 0 {
				next, err = w.ask(f, code)
			} else {
				next, err = w.answer(c, code)
			}
			if err == nil {
				guesses = append(guesses, w.clock())
			}
			c = next
		}
		for i := range guesses {
			most := 25
			if i >= 100+25 { // all of the day before were made under the strict limit or count for it
				most = 5
			}
			if i >= most && guesses[i].Sub(guesses[i-most]) < day {
				t.Fatalf("seed %d: guess %d is one of more than %d in a day", seed, i+1, most)
			}
		}
		if len(guesses) < 110 {
			t.Errorf("seed %d: %d guesses say nothing", seed, len(guesses))
		}
	}
}
