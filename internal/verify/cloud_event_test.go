package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/verify"
)

// announces has the sink told of events.
func (w *world) announces(patterns ...string) {
	w.t.Helper()
	s, err := verify.Subscribe(patterns)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Announced = s
}

// subscribed is a world whose service subscribes, and whose sink is told of everything.
func subscribed(t *testing.T, p verify.ServiceParams) *world {
	t.Helper()
	p.VerifyEventSubscription = new(true)
	w := newWorld(t, p)
	w.announces("*")
	return w
}

func (w *world) sweep() {
	w.t.Helper()
	if err := w.Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// announced are the events of the sink about verifications, as kind and verification, sorted.
func (w *world) announced(kinds ...string) (list []string) {
	w.t.Helper()
	for _, d := range w.told() {
		if !slices.Contains(kinds, d.EventType) && len(kinds) > 0 {
			continue
		}
		var events []struct{ Data map[string]any }
		if err := json.Unmarshal([]byte(d.Body), &events); err != nil || len(events) != 1 {
			w.t.Fatalf("%v in %s", err, d.Body)
		}
		list = append(list, fmt.Sprint(d.EventType, " ", events[0].Data["verification_sid"]))
	}
	slices.Sort(list)
	return list
}

func TestTheFifteenEvents(t *testing.T) {
	want := []verify.EventType{
		"verification.pending", "verification.approved", "verification.canceled", "verification.expired", "verification.max-attempts-reached",
		"message.sent", "message.delivered", "message.read", "message.undelivered", "message.failed",
		"attempt-dlr.sent", "attempt-dlr.delivered", "attempt-dlr.read", "attempt-dlr.undelivered", "attempt-dlr.failed",
	}
	if diff := cmp.Diff(want, verify.CloudEvents()); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		patterns []string
		n        int // of events, -1 for a refusal
	}{
		{nil, 0}, {[]string{"*"}, 15}, {verify.UsualEvents(), 10}, {[]string{"verification.expired"}, 1},
		{[]string{"com.twilio.accountsecurity.verify.message.read", "message.*"}, 5}, {[]string{"com.twilio.accountsecurity.verify.*"}, 15},
		{[]string{"message"}, -1}, {[]string{"verification.expired", "challenge.approved"}, -1}, {[]string{""}, -1}, {[]string{"message.**"}, -1},
	} {
		s, err := verify.Subscribe(c.patterns)
		if (err != nil) != (c.n < 0) || err == nil && len(s) != c.n {
			t.Errorf("%q: %d events, %v; want %d", c.patterns, len(s), err, c.n)
		}
	}
}

// Whatever the configuration says, a sink is told of events that there are, and of each that is named.
func FuzzSubscribe(f *testing.F) {
	for _, pattern := range []string{"*", "message.*", "com.twilio.accountsecurity.verify.verification.expired", "verification.", "**", "\xff"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		s, err := verify.Subscribe([]string{pattern})
		if (err == nil) != (len(s) > 0) {
			t.Errorf("%q: %d events, %v", pattern, len(s), err)
		}
		for kind := range s {
			if again, err := verify.Subscribe([]string{string(kind)}); err != nil || len(again) != 1 || !again[kind] {
				t.Errorf("%s by its name: %v, %v", kind, again, err)
			}
		}
	})
}

// A verification whose time is up is announced by whoever notices first, and by nobody after him.
func TestAnEndByAgeIsAnnouncedOnce(t *testing.T) {
	for name, notice := range map[string]func(w *world){
		"the sweep": func(w *world) { w.sweep() },
		"a start":   func(w *world) { w.mustStart(ana, "sms") },
		"the sweep after a check that found nothing": func(w *world) {
			_, _, err := w.check(ana, "000000")
			wantCode(w.t, err, verify.CodeNotFound, verify.ReasonExpired)
			w.sweep()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := subscribed(t, verify.ServiceParams{})
			v := w.mustStart(ana, "sms")
			w.advance(10*time.Minute - time.Millisecond)
			w.sweep()
			if got := w.announced("verification.expired"); len(got) != 0 {
				t.Fatalf("announced before its time: %v", got)
			}
			w.advance(time.Millisecond)
			notice(w)
			w.sweep()
			w.advance(5 * time.Minute)
			w.sweep()
			if diff := cmp.Diff([]string{"verification.expired " + v.SID}, w.announced("verification.expired")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is over in another way does not expire, and a service that does not subscribe is not told; nor is
// anybody where the sink does not want to know.
func TestWhatDoesNotExpireIsNotAnnounced(t *testing.T) {
	w := subscribed(t, verify.ServiceParams{})
	name := "Quiet"
	s, err := w.CreateService(t.Context(), w.account, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	to, sms := "+34612345670", "sms"
	silent, err := w.StartVerification(t.Context(), w.account, s.SID, verify.StartParams{To: &to, Channel: &sms})
	if err != nil {
		t.Fatal(err)
	}
	for i, end := range []string{"approved", "canceled"} {
		v := w.mustStart(fmt.Sprintf("+3461234567%d", i+1), "sms")
		if _, err := w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &end); err != nil {
			t.Fatal(err)
		}
	}
	spent := w.mustStart(ana, "sms")
	for range 5 {
		_, _, _ = w.check(ana, other(w.code(spent)))
	}
	w.advance(24 * time.Hour)
	w.sweep()
	if got := w.announced("verification.expired"); len(got) != 0 {
		t.Errorf("announced %v", got)
	}
	if got := w.read(silent); got.Status != verify.Expired || got.CodeSealed != nil {
		t.Errorf("without a subscriber it ended as %s", got.Status)
	}
	w.announces("message.*", "verification.approved")
	last := w.mustStart(ana, "sms")
	w.advance(24 * time.Hour)
	w.sweep()
	if got := w.read(last); got.Status != verify.Expired || len(w.announced("verification.expired")) != 0 {
		t.Errorf("it ended as %s, announced %v", got.Status, w.announced())
	}
}

// A payment that another one replaces shows as canceled, and is announced so.
func TestAReplacedPaymentIsAnnouncedAsCanceled(t *testing.T) {
	w := subscribed(t, verify.ServiceParams{PSD2Enabled: new(true)})
	to, sms := ana, "sms"
	var first *verify.Verification
	for _, amount := range []string{"€ 1", "€ 2"} {
		v, err := w.StartVerification(t.Context(), w.account, w.service, verify.StartParams{To: &to, Channel: &sms, Amount: amount, Payee: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = v
		}
	}
	if diff := cmp.Diff([]string{"verification.canceled " + first.SID}, w.announced("verification.canceled")); diff != "" {
		t.Error(diff)
	}
	for _, d := range w.told() {
		if d.EventType == "verification.canceled" && !strings.Contains(d.Body, `"verification_status":"CANCELED"`) {
			t.Error(d.Body)
		}
	}
}

// However calls and sweeps fall, a verification is announced for every send that was asked for, and its end
// once.
func TestEveryEndIsAnnouncedOnce(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 11))
		w := subscribed(t, verify.ServiceParams{})
		all := map[string]*verify.Verification{}
		sends := map[string]int{}
		latest := map[string]*verify.Verification{}
		for range 250 {
			to := fmt.Sprintf("+346%08d", 12345600+r.IntN(8))
			switch r.IntN(7) {
			case 0, 1:
				if v, err := w.start(to, "sms"); err == nil {
					all[v.SID], latest[to] = v, v
					sends[v.SID]++
				}
			case 2:
				_, _, _ = w.check(to, "000000")
			case 3:
				if v := latest[to]; v != nil && w.read(v).StatusAt(w.clock()) == verify.Pending && r.IntN(3) == 0 {
					_, _, _ = w.check(to, w.code(v))
				}
			case 4:
				if v := latest[to]; v != nil && r.IntN(4) == 0 {
					cancel := "canceled"
					_, _ = w.UpdateVerification(t.Context(), w.account, w.service, v.SID, &cancel)
				}
			case 5:
				w.advance(time.Duration(r.IntN(300)) * time.Second)
			default:
				w.sweep()
			}
		}
		w.advance(time.Hour)
		w.sweep()
		ends := map[string][]string{}
		starts := map[string]int{}
		for _, line := range w.announced() {
			kind, sid, _ := strings.Cut(line, " ")
			if kind == "verification.pending" {
				starts[sid]++
			} else {
				ends[sid] = append(ends[sid], kind)
			}
		}
		kinds := map[verify.Status]string{
			verify.Approved: "verification.approved", verify.Canceled: "verification.canceled", verify.Expired: "verification.expired",
			verify.MaxAttemptsReached: "verification.max-attempts-reached",
		}
		for sid, v := range all {
			status := w.read(v).Status
			want := []string{kinds[status]}
			if len(ends[sid]) == 2 { // canceled by hand after its checks were spent
				want = []string{kinds[verify.Canceled], kinds[verify.MaxAttemptsReached]}
			}
			if starts[sid] != sends[sid] || !slices.Equal(ends[sid], want) {
				t.Errorf("seed %d: %s is %s, announced %d of %d sends and %v", seed, sid, status, starts[sid], sends[sid], ends[sid])
			}
		}
	}
}

// failing is a store of which the n-th Update, counted from the next one, runs and is not committed.
type failing struct {
	verify.Store
	left *atomic.Int64
}

var errFire = errors.New("the disk is on fire")

func (s failing) Update(ctx context.Context, fn func(verify.Tx) error) error {
	if s.left.Add(-1) != 0 {
		return s.Store.Update(ctx, fn)
	}
	return s.Store.Update(ctx, func(tx verify.Tx) error {
		return errors.Join(fn(tx), errFire)
	})
}

// Wherever a sweep breaks off, the next one ends and announces the rest: an end without its event is never
// committed, nor an event without its end.
func TestASweepThatFailsLosesNoEnd(t *testing.T) {
	const n = 12 // more than a chunk
	for broken := 1; ; broken++ {
		w := subscribed(t, verify.ServiceParams{})
		for i := range n {
			w.mustStart(fmt.Sprintf("+346%08d", 12345600+i), "sms")
		}
		w.advance(time.Hour)
		store := w.Engine.Store
		var left atomic.Int64
		left.Store(int64(broken))
		w.Engine.Store = failing{store, &left}
		err := w.Sweep(t.Context())
		w.Engine.Store = store
		if expired := len(w.announced("verification.expired")); (expired == n) != (broken > n) {
			t.Errorf("update %d failed: %v, and %d are announced", broken, err, expired)
		}
		w.sweep()
		if got := w.announced("verification.expired"); len(got) != n || len(slices.Compact(got)) != n {
			t.Errorf("after update %d failed and another sweep %d are announced, want %d", broken, len(got), n)
		}
		if err == nil {
			if broken < n+1 {
				t.Errorf("a sweep takes %d updates, want one for each end and one for the others", broken-1)
			}
			return
		}
	}
}

// Two sweeps and starts at the same time, on nodes that share nothing but the store.
func TestSimultaneousSweepsAnnounceOnce(t *testing.T) {
	w := subscribed(t, verify.ServiceParams{})
	want := make([]string, 0, 60)
	for i := range 60 {
		want = append(want, "verification.expired "+w.mustStart(fmt.Sprintf("+346%08d", 12345600+i), "sms").SID)
	}
	slices.Sort(want)
	w.advance(10 * time.Minute)
	var all sync.WaitGroup
	for range 3 {
		node := verify.NewEngine(w.store, w.Keys, w.clock, w.Random, w.Routed)
		node.Announced = w.Announced
		all.Go(func() {
			if err := node.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 20 {
		all.Go(func() { _, _ = w.start(fmt.Sprintf("+346%08d", 12345600+i*3), "sms") })
	}
	all.Wait()
	if diff := cmp.Diff(want, w.announced("verification.expired")); diff != "" {
		t.Error(diff)
	}
}

var eventNames = regexp.MustCompile(`"(id|verification_sid|attempt_sid|account_sid|service_sid)":"[^"]*"|(/v1/Accounts/)[^"]*`)

// body is the one event of a kind, with the names that were drawn taken out.
func (w *world) body(kind string) string {
	w.t.Helper()
	for _, d := range w.told() {
		if d.EventType != kind {
			continue
		}
		var events []struct{ ID string }
		if err := json.Unmarshal([]byte(d.Body), &events); err != nil || len(events) != 1 || events[0].ID != d.UUID || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(d.UUID) {
			w.t.Errorf("%v, event %v of delivery %s", err, events, d.UUID)
		}
		return eventNames.ReplaceAllStringFunc(d.Body, func(s string) string {
			name, _, _ := strings.Cut(s, ":")
			if strings.HasPrefix(s, "/") {
				return "…"
			}
			return name + `:"…"`
		})
	}
	w.t.Fatalf("no %s among %v", kind, kindsOf(w.told()))
	return ""
}

// The members and their order are those of the factors reference, section 9.
func TestTheBodyOfAnEndByAge(t *testing.T) {
	w := subscribed(t, verify.ServiceParams{CustomCodeEnabled: new(true)})
	to, sms := ana, "sms"
	v, err := w.StartVerification(t.Context(), w.account, w.service, verify.StartParams{To: &to, Channel: &sms, Tags: `{"order":"17"}`, CustomCode: "123456"})
	if err != nil {
		t.Fatal(err)
	}
	w.delivered("sms", verify.AttemptSent)
	if err := w.report(v.Sends[0].AttemptSID, verify.AttemptUndelivered); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.check(ana, "000000"); err != nil {
		t.Fatal(err)
	}
	w.advance(10*time.Minute + 7*time.Second)
	w.sweep()
	want := `[{"specversion":"1.0","type":"com.twilio.accountsecurity.verify.verification.expired","source":"…","id":"…",` +
		`"dataschema":"https://events-schemas.twilio.com/AccountSecurity.VerifyEventStreamEvent/1","datacontenttype":"application/json","time":"2026-11-24T12:10:07.000Z",` +
		`"data":{"account_sid":"…","service_sid":"…","verification_sid":"…","friendly_name":"Acme","custom_code_enabled":true,"custom_friendly_name":"Acme",` +
		`"created_at":"2026-11-24T12:00:00.000000Z","expired_at":"2026-11-24T12:10:00.000000Z","to":"+34612345678","verification_status":"EXPIRED","country":"ES","code_length":null,` +
		`"send_code_attempts":{"count":1,"attempts":[{"time":"2026-11-24T12:00:00.000000Z","channel":"SMS","attempt_sid":"…","locale":"es","delivery_status":"UNDELIVERED","error_code":"30005","tags":{"order":"17"}}]},` +
		`"check_attempts":{"count":1}}}]`
	if diff := cmp.Diff(want, w.body("verification.expired")); diff != "" {
		t.Error(diff)
	}
}
