package verify_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// services gives the account so many services in all, and names them.
func (w *world) services(n int) []string {
	w.t.Helper()
	list := []string{w.service}
	for len(list) < n {
		w.anotherService()
		list = append(list, w.service)
	}
	return list
}

func TestGuessesOverTheServicesOfAnAccount(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.Limits.Sends = nil
	services, total := w.services(7), 0
	for _, w.service = range services[:4] { // the account's limit is not reached, but its services' are
		n, _ := w.siege(ana)
		total += n
	}
	if total != 100 {
		t.Fatalf("%d guesses were compared in four services, want 100", total)
	}
	for _, w.service = range services[4:] {
		if n, err := w.siege(ana); n != 0 {
			t.Errorf("%d guesses were compared in another service", n)
		} else if got := refusal(err); got.Code != verify.CodeMaxChecks || got.RetryAfter > day || got.RetryAfter < day-10*time.Minute {
			t.Errorf("refused with %+v, want 60202 for a day", got)
		}
	}
	w.mustStart("+34612345679", "sms")
	w.advance(day)
	v := w.mustStart(ana, "sms")
	if _, outcome, err := w.check(ana, w.code(v)); outcome != verify.CodeRight {
		t.Errorf("the owner, a day later: %v, %v", outcome, err)
	}
}

// What is open when the last guess of the account is made is not compared any more, and is approved when
// the wait is over, if it lives that long.
func TestTheLastGuessOfAnAccountStopsAllServices(t *testing.T) {
	ttl := 86400
	w := limited(t, verify.ServiceParams{CodeTTL: &ttl})
	w.Limits.Sends, w.Limits.AccountGuesses = nil, 1
	long := w.service
	w.services(2)
	besieged := w.service
	w.service = long
	v := w.mustStart(ana, "sms")
	code := w.code(v)
	w.advance(time.Hour)
	w.service = besieged
	if n, _ := w.siege(ana); n != 25 {
		t.Fatalf("%d guesses, want 25", n)
	}
	w.service = long
	_, _, err := w.check(ana, code)
	wantCode(t, err, verify.CodeMaxChecks, "")
	got, err := w.Verification(t.Context(), w.account, w.service, v.SID)
	if err != nil || got.Checks != 0 || got.Status != verify.Pending {
		t.Errorf("what was not compared was counted: %+v, %v", got, err)
	}
	if _, err := w.StartVerification(t.Context(), w.account, w.service, forgiving(ana)); err != nil {
		t.Fatal(err)
	}
	if _, outcome, err := w.check(ana, code); outcome != verify.CodeRight {
		t.Errorf("after the customer has forgiven: %v, %v", outcome, err)
	}
}

// forgiving is a start that forgives.
func forgiving(to string) verify.StartParams {
	channel, yes := "sms", true
	return verify.StartParams{To: &to, Channel: &channel, ForgiveGuesses: &yes}
}

func TestAnApprovalForgivesTheAccountsGuesses(t *testing.T) {
	for name, approve := range map[string]func(*world, *verify.Verification){
		"by the code": func(w *world, v *verify.Verification) {
			if _, outcome, err := w.check(ana, w.code(v)); outcome != verify.CodeRight {
				w.t.Fatalf("%v, %v", outcome, err)
			}
		},
		"by the customer's word": func(w *world, v *verify.Verification) {
			approved := string(verify.Approved)
			if _, err := w.UpdateVerification(w.t.Context(), w.account, w.service, v.SID, &approved); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := limited(t, verify.ServiceParams{})
			w.Limits.Sends = nil
			services := w.services(9)
			for _, w.service = range services[:3] {
				if n, _ := w.siege(ana); n != 25 {
					t.Fatalf("%d guesses, want 25", n)
				}
			}
			w.service = services[3]
			approve(w, w.mustStart(ana, "sms"))
			total := 0
			for _, w.service = range services[4:] {
				n, _ := w.siege(ana)
				total += n
			}
			if total != 100 {
				t.Errorf("%d guesses after the approval, want 100", total)
			}
		})
	}
}

// Fifty at once, in ten services: as many are compared as the account's limit allows.
func TestFiftyGuessesAtOnceOverTenServices(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.Limits.Sends, w.Limits.AccountGuesses = nil, 1
	services := w.services(10)
	for _, w.service = range services {
		w.mustStart(ana, "sms")
	}
	wrong := "0000"
	var compared, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			to := ana
			_, outcome, err := w.CheckVerification(t.Context(), w.account, services[i%10], verify.CheckParams{To: &to, Code: &wrong})
			switch got := refusal(err); {
			case outcome == verify.CodeWrong:
				compared.Add(1)
			case got != nil && got.Code == verify.CodeMaxChecks:
				refused.Add(1)
			default:
				t.Errorf("%v, %v", outcome, err)
			}
		})
	}
	all.Wait()
	if compared.Load() != 25 || refused.Load() != 25 {
		t.Errorf("%d were compared and %d refused, want 25 and 25", compared.Load(), refused.Load())
	}
}

// from starts as somebody at an address.
func (w *world) from(address, to string) (*verify.Verification, error) {
	channel := "sms"
	return w.StartVerification(w.t.Context(), w.account, w.service, verify.StartParams{To: &to, Channel: &channel, DeviceIP: address})
}

// approvedFrom makes a device known.
func (w *world) approvedFrom(address, to string) {
	w.t.Helper()
	v, err := w.from(address, to)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, outcome, err := w.check(to, w.code(v)); outcome != verify.CodeRight {
		w.t.Fatalf("%v, %v", outcome, err)
	}
	w.advance(time.Second)
}

func TestTheOwnerGetsInFromWhereHeHasBeen(t *testing.T) {
	for _, c := range []struct{ known, now string }{
		{"192.0.2.7", "192.0.2.7"}, {"192.0.2.7", "::ffff:192.0.2.7"}, {"2001:db8:1:2::3", "2001:db8:1:2:ffff::9"},
	} {
		w := limited(t, verify.ServiceParams{})
		w.approvedFrom(c.known, ana)
		w.advance(89 * day)
		if n, _ := w.siege(ana); n != 25 {
			t.Fatalf("%d guesses, want 25", n)
		}
		for _, stranger := range []string{"", "192.0.2.8", "2001:db8:1:3::3"} {
			_, err := w.from(stranger, ana)
			wantCode(t, err, verify.CodeMaxChecks, "")
		}
		v, err := w.from(c.now, ana)
		if err != nil || v.MaxChecks != 5 {
			t.Fatalf("from %s: %+v, %v", c.now, v, err)
		}
		if _, outcome, err := w.check(ana, w.code(v)); outcome != verify.CodeRight {
			t.Errorf("from %s: %v, %v", c.now, outcome, err)
		}
	}
}

// The checks that somebody has spent do not make the owner wait for the verification's end.
func TestAKnownDeviceReplacesWhatIsSpent(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.approvedFrom("192.0.2.7", ana)
	before := w.mustStart(ana, "sms")
	w.guessWrong(before, 5)
	w.advance(time.Second)
	if _, err := w.start(ana, "sms"); refusal(err) == nil {
		t.Fatal("a start after the last check")
	}
	v, err := w.from("192.0.2.7", ana)
	if err != nil || v.SID == before.SID || len(v.History.Times) != 5 {
		t.Errorf("%+v, %v; want another verification, and what was guessed before not forgotten", v, err)
	}
}

// A device has ten guesses a day of its own, then those of everybody.
func TestGuessesFromAKnownDevice(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.approvedFrom("192.0.2.7", ana)
	total := 0
	for range 20 {
		w.advance(time.Minute)
		v, err := w.from("192.0.2.7", ana)
		if err != nil {
			wantCode(t, err, verify.CodeMaxChecks, "")
			break
		}
		total += w.guessWrong(v, 10)
		w.cancel(v)
		if total <= 10 && v.History.Failed != 0 {
			t.Errorf("after %d guesses the history counts %d", total, v.History.Failed)
		}
	}
	if total != 35 {
		t.Errorf("%d guesses from a known device, want 10 and 25", total)
	}
}

func TestADeviceIsForgottenAfterNinetyDays(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.approvedFrom("192.0.2.7", ana)
	w.advance(90 * day)
	if _, err := w.siege(ana); refusal(err) == nil {
		t.Fatal(err)
	}
	_, err := w.from("192.0.2.7", ana)
	wantCode(t, err, verify.CodeMaxChecks, "")
}

// Whoever joins a verification that another began must not become known by the other's code, nor take
// what is known of one number, or in one service, to another.
func TestADeviceIsNotKnownByAnothersCode(t *testing.T) {
	const owner, stranger = "192.0.2.7", "192.0.2.8"
	for name, begin := range map[string]func(w *world) *verify.Verification{
		"the stranger joins": func(w *world) *verify.Verification {
			_, _ = w.from(owner, ana)
			v, _ := w.from(stranger, ana)
			return v
		},
		"the owner joins": func(w *world) *verify.Verification {
			_, _ = w.from(stranger, ana)
			v, _ := w.from(owner, ana)
			return v
		},
		"somebody without an address joins": func(w *world) *verify.Verification {
			_, _ = w.from(stranger, ana)
			v, _ := w.from("", ana)
			return v
		},
		"the stranger joins and the owner again": func(w *world) *verify.Verification {
			_, _ = w.from(owner, ana)
			_, _ = w.from(stranger, ana)
			v, _ := w.from(owner, ana)
			return v
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := limited(t, verify.ServiceParams{})
			v := begin(w)
			if _, outcome, err := w.check(ana, w.code(v)); outcome != verify.CodeRight {
				t.Fatalf("%v, %v", outcome, err)
			}
			w.advance(time.Second)
			if _, err := w.siege(ana); refusal(err) == nil {
				t.Fatal(err)
			}
			_, err := w.from(stranger, ana)
			wantCode(t, err, verify.CodeMaxChecks, "")
		})
	}
	w := limited(t, verify.ServiceParams{})
	w.approvedFrom(stranger, "+34612345679")
	if _, err := w.siege(ana); refusal(err) == nil {
		t.Fatal(err)
	}
	_, err := w.from(stranger, ana)
	wantCode(t, err, verify.CodeMaxChecks, "")
}

// Whatever an attacker does: from where the owner has been, he gets in at once, as long as the attacker
// has not guessed at the owner's own verifications as often as a device may; and no day has more wrong
// codes than the promise and the device's.
func TestNobodyLocksTheOwnerOut(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			w := limited(t, verify.ServiceParams{})
			w.Limits.Sends = nil
			const home = "192.0.2.7"
			w.approvedFrom(home, ana)
			var guesses []time.Time // since the last approval, which forgives
			for range 40 {
				for range r.IntN(60) { // the attacker
					w.advance(time.Second + time.Duration(r.IntN(600))*time.Second)
					switch r.IntN(6) {
					case 0:
						_, _ = w.from([]string{"", "198.51.100.1"}[r.IntN(2)], ana)
					case 1:
						status := string(verify.Canceled)
						_, _ = w.UpdateVerification(t.Context(), w.account, w.service, ana, &status)
					default:
						if _, outcome, _ := w.check(ana, "wrong"); outcome == verify.CodeWrong {
							guesses = append(guesses, w.clock())
						}
					}
				}
				w.advance(time.Second)
				v, err := w.from(home, ana) // the owner
				if got := refusal(err); got != nil && got.Code == verify.CodeMaxSends {
					continue // the attacker's starts have used the verification up
				}
				if err != nil {
					t.Fatalf("the owner: %v", err)
				}
				if _, outcome, err := w.check(ana, w.code(v)); outcome != verify.CodeRight {
					t.Fatalf("the owner: %v, %v", outcome, err)
				}
				for i := range guesses {
					if i >= 35 && guesses[i].Sub(guesses[i-35]) < day {
						t.Fatalf("guess %d is one of more than 35 in a day", i+1)
					}
				}
				guesses = nil
			}
		})
	}
}
