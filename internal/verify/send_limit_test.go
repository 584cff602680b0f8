package verify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// bombard has codes sent to an address as often as it is allowed now, each in a verification of its own.
func (w *world) bombard(to, channel string) (sent int, last error) {
	w.t.Helper()
	for range 100 {
		v, err := w.start(to, channel)
		if err != nil {
			return sent, err
		}
		sent++
		w.cancel(v)
		w.advance(time.Second)
	}
	w.t.Fatalf("nothing stopped it after %d messages", sent)
	return 0, nil
}

func TestSendsToOneAddress(t *testing.T) {
	for _, c := range []struct {
		to       string
		channels []string
		hour     int // messages in an hour
		day      int
	}{
		{ana, []string{"sms", "whatsapp", "rcs"}, 10, 20},
		{ana, []string{"call"}, 3, 8},
		{"ana@example.com", []string{"email"}, 10, 30},
	} {
		t.Run(c.channels[0], func(t *testing.T) {
			w := limited(t, verify.ServiceParams{})
			begun, sent := w.clock(), 0
			for sent < c.day {
				before := sent
				for range 100 {
					v, err := w.start(c.to, c.channels[sent%len(c.channels)])
					if err != nil {
						wantRetry(t, err, verify.CodeNumberLimit, refusal(err).RetryAfter)
						w.advance(refusal(err).RetryAfter)
						break
					}
					w.cancel(v)
					w.advance(time.Second)
					sent++
				}
				if sent-before > c.hour {
					t.Fatalf("%d messages without a pause, want at most %d", sent-before, c.hour)
				}
			}
			if sent != c.day {
				t.Errorf("%d messages in a day, want %d", sent, c.day)
			}
			if waited := w.clock().Sub(begun); waited != day {
				t.Errorf("the next one may go %s after the first, want a day", waited)
			}
			w.mustStart(c.to, c.channels[0])
		})
	}
}

// The limit is of the address, whatever service of the account asks. Another account, another address
// and another way to the same person have limits of their own.
func TestSendsCountOverTheServicesOfAnAccount(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	first, sent := w.service, 0
	for i := 0; sent < 10; i++ {
		if i%3 == 0 {
			w.anotherService()
		}
		v := w.mustStart(ana, "sms")
		w.cancel(v)
		w.advance(time.Second)
		sent++
	}
	_, err := w.start(ana, "sms")
	wantRetry(t, err, verify.CodeNumberLimit, time.Hour-10*time.Second)
	w.service = first
	_, err = w.start(ana, "sms")
	wantCode(t, err, verify.CodeNumberLimit, "")
	w.mustStart("+34612345679", "sms")
	w.mustStart(ana, "call")

	other, _, err := w.CreateAccount(t.Context(), "another", "", "")
	if err != nil {
		t.Fatal(err)
	}
	w.account = other.SID
	w.anotherService()
	w.mustStart(ana, "sms")
}

// anotherService makes a service, and is about it from now on.
func (w *world) anotherService() {
	w.t.Helper()
	name := "Another"
	s, err := w.CreateService(w.t.Context(), w.account, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	w.service = s.SID
}

func TestAMailboxIsOneWhateverItsTag(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	for i := range 10 {
		w.mustStart(fmt.Sprintf("Ana+%d@Example.com", i), "email")
	}
	for _, to := range []string{"ana@example.com", "ANA+new@example.COM"} {
		_, err := w.start(to, "email")
		wantCode(t, err, verify.CodeNumberLimit, "")
	}
	w.mustStart("anna@example.com", "email")
}

// A number on the safe list gets as many text messages as it likes, and is counted meanwhile.
func TestSafeNumbersAreSentToWithoutEnd(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	number := ana
	if _, err := w.AddSafeNumber(t.Context(), w.account, &number); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		w.cancel(w.mustStart(ana, "sms"))
		w.advance(time.Second)
	}
	if sent, err := w.bombard(ana, "call"); sent != 3 {
		t.Errorf("%d calls, %v; want 3: the safe list is of text messages", sent, err)
	}
	if err := w.RemoveSafeNumber(t.Context(), w.account, ana); err != nil {
		t.Fatal(err)
	}
	_, err := w.start(ana, "sms")
	wantCode(t, err, verify.CodeNumberLimit, "")
}

// What is refused, for whatever reason, is not counted.
func TestARefusedStartIsNoSend(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	v := w.mustStart(ana, "sms")
	for range 4 {
		w.advance(time.Second)
		w.mustStart(ana, "sms")
	}
	for range 20 { // the sends of this verification are spent
		w.advance(time.Second)
		_, err := w.start(ana, "sms")
		wantCode(t, err, verify.CodeMaxSends, "")
	}
	w.cancel(v)
	if sent, _ := w.bombard(ana, "sms"); sent != 5 {
		t.Errorf("%d more messages, want 5", sent)
	}
	w.advance(20 * time.Minute)
	for range 20 { // trying on does not make it longer
		_, err := w.start(ana, "sms")
		wantCode(t, err, verify.CodeNumberLimit, "")
	}
	w.advance(40 * time.Minute)
	w.mustStart(ana, "sms")
}

// Fifty at once, in five services: as many are sent as the limit allows.
func TestFiftySendsAtOnce(t *testing.T) {
	w := limited(t, verify.ServiceParams{})
	w.Limits.Starts.Max, w.Limits.InFlight.Wait = 0, 0
	services := []string{w.service}
	for range 4 {
		w.anotherService()
		services = append(services, w.service)
	}
	var sent, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			to, channel := ana, "sms"
			_, err := w.StartVerification(t.Context(), w.account, services[i%len(services)], verify.StartParams{To: &to, Channel: &channel})
			switch got := refusal(err); {
			case err == nil:
				sent.Add(1)
			case got != nil && (got.Code == verify.CodeNumberLimit || got.Code == verify.CodeMaxSends):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if sent.Load() != 10 || refused.Load() != 40 {
		t.Errorf("%d were sent and %d refused, want 10 and 40", sent.Load(), refused.Load())
	}
}

// However the starts fall, no hour and no day has more sends than the limit, and one that keeps to it
// is not refused.
func TestSendsOverRandomTraces(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 3))
		w := limited(t, verify.ServiceParams{})
		var sent []time.Time
		within := func(d time.Duration, now time.Time) (n int) {
			for _, at := range sent {
				if now.Sub(at) < d {
					n++
				}
			}
			return n
		}
		for range 400 {
			w.advance(time.Second + time.Duration(r.ExpFloat64()*float64(10*time.Minute)))
			if r.IntN(50) == 0 {
				if err := w.SweepMeters(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			now := w.clock()
			full := within(time.Hour, now) >= 10 || within(day, now) >= 20
			v, err := w.start(ana, "sms")
			switch {
			case err == nil && full:
				t.Fatalf("seed %d: a message too many after %d", seed, len(sent))
			case err == nil:
				sent = append(sent, now)
				w.cancel(v)
			case !full:
				t.Fatalf("seed %d: %v, with %d messages in an hour and %d in a day", seed, err, within(time.Hour, now), within(day, now))
			default:
				wantCode(t, err, verify.CodeNumberLimit, "")
			}
		}
		if len(sent) < 40 || !slices.IsSortedFunc(sent, time.Time.Compare) {
			t.Errorf("seed %d: %d messages say nothing", seed, len(sent))
		}
	}
}
