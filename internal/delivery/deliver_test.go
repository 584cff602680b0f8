package delivery_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/storetest"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// carrier is a provider that answers as it is told, one answer a message, and remembers the keys.
type carrier struct {
	answers []error
	keys    []string
	last    provider.Message
}

func (c *carrier) Send(_ context.Context, m provider.Message) (provider.Accepted, error) {
	c.keys = append(c.keys, m.Key[strings.LastIndex(m.Key, ":"):])
	c.last = m
	if len(c.answers) == 0 {
		return provider.Accepted{ID: fmt.Sprintf("id-%d", len(c.keys))}, nil
	}
	err := c.answers[0]
	c.answers = c.answers[1:]
	return provider.Accepted{ID: "id"}, err
}

// repeatable is a carrier that knows a message by its key.
type repeatable struct{ *carrier }

func (repeatable) Repeatable() {}

type world struct {
	t      *testing.T
	engine *verify.Engine
	store  *sqlite.Store
	now    time.Time
	log    bytes.Buffer
	// messaging are the messaging services of the worker.
	messaging delivery.MessagingServices
	budget    delivery.Budget
	made      int // by many
	v         *verify.Verification
	acc       string
}

// newWorld is an engine in which one SMS is waiting to be sent. Each of prepare may change the engine
// and the service before.
func newWorld(t *testing.T, prepare ...func(e *verify.Engine, account, service string) error) *world {
	t.Helper()
	w := &world{t: t, now: start}
	clock := func() time.Time { return w.now }
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
	w.engine = verify.NewEngine(storetest.Replay{Store: store}, keys, clock, rand.Reader, func(verify.Channel) bool { return true })
	a, _, err := w.engine.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	name, to, channel := "Acme", "+34612345678", "sms"
	s, err := w.engine.CreateService(t.Context(), a.SID, verify.ServiceParams{FriendlyName: &name})
	if err != nil {
		t.Fatal(err)
	}
	w.acc = a.SID
	for _, change := range prepare {
		if err := change(w.engine, a.SID, s.SID); err != nil {
			t.Fatal(err)
		}
	}
	if w.v, err = w.engine.StartVerification(t.Context(), a.SID, s.SID, verify.StartParams{To: &to, Channel: &channel}); err != nil {
		t.Fatal(err)
	}
	return w
}

// worker carries text messages by these routes.
func (w *world) worker(routes ...delivery.Route) *delivery.Worker {
	return &delivery.Worker{
		Engine:            w.engine,
		Routes:            delivery.Routes{verify.SMS: delivery.Anywhere(routes...)},
		MessagingServices: w.messaging,
		Budget:            w.budget,
		Log:               slog.New(slog.NewJSONHandler(&w.log, nil)),
		Now:               func() time.Time { return w.now },
	}
}

// turns runs what is queued whenever it is due, until it is over or the code's life is, and returns
// the world's first attempt. Jobs that are due at the same moment come in no order.
func (w *world) turns(routes ...delivery.Route) *verify.Attempt {
	w.t.Helper()
	w.drain(w.worker(routes...))
	return w.attempt(w.v.Sends[0].AttemptSID)
}

// drain runs what is queued whenever it is due.
func (w *world) drain(worker *delivery.Worker) {
	w.t.Helper()
	for range 1000 {
		due, found, err := w.store.NextDue(w.t.Context(), "sms")
		if err != nil {
			w.t.Fatal(err)
		}
		if !found {
			break
		}
		if due.After(w.now) {
			w.now = due
		}
		jobs, err := w.store.Claim(w.t.Context(), "sms", w.now, w.now.Add(time.Minute), 1)
		if err != nil || len(jobs) != 1 {
			w.t.Fatalf("claimed %v, %v", jobs, err)
		}
		if err := worker.Work(w.t.Context(), jobs[0]); err != nil {
			w.t.Fatal(err)
		}
	}
}

func fail(classes ...provider.Class) []error {
	var answers []error
	for _, c := range classes {
		answers = append(answers, &provider.Error{Class: c, Code: "code"})
	}
	return answers
}

const (
	badRecipient = provider.BadRecipient
	badRequest   = provider.BadRequest
	temporary    = provider.Temporary
	throttled    = provider.Throttled
	unknown      = provider.Unknown
)

func TestWhatFollowsFromAnAnswer(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second []error
		repeatable    bool
		state         verify.AttemptState
		provider      string
		firstKeys     []string
		secondKeys    []string
		after         time.Duration
	}{
		{name: "accepted", state: verify.AttemptSent, provider: "first", firstKeys: []string{":1"}},
		{name: "bad recipient stops", first: fail(badRecipient), state: verify.AttemptFailed, provider: "first", firstKeys: []string{":1"}},
		{name: "bad request goes to the next route", first: fail(badRequest), state: verify.AttemptSent, provider: "second", firstKeys: []string{":1"}, secondKeys: []string{":2"}},
		{name: "bad request everywhere fails", first: fail(badRequest), second: fail(badRequest), state: verify.AttemptFailed, provider: "second", firstKeys: []string{":1"}, secondKeys: []string{":2"}},
		{name: "temporary is tried once more", first: fail(temporary), state: verify.AttemptSent, provider: "first", firstKeys: []string{":1", ":1"}, after: 500 * time.Millisecond},
		{name: "temporary twice goes to the next route", first: fail(temporary, temporary), state: verify.AttemptSent, provider: "second", firstKeys: []string{":1", ":1"}, secondKeys: []string{":2"}, after: 500 * time.Millisecond},
		{name: "temporary by the second goes to the next route at once", first: fail(badRequest), second: fail(temporary), state: verify.AttemptSent, provider: "first",
			firstKeys: []string{":1", ":1"}, secondKeys: []string{":2"}, after: time.Second},
		{name: "throttled goes to the next route", first: fail(throttled), state: verify.AttemptSent, provider: "second", firstKeys: []string{":1"}, secondKeys: []string{":2"}},
		{name: "temporary everywhere is tried again", first: fail(temporary, temporary, temporary), second: fail(temporary, throttled), state: verify.AttemptSent, provider: "first",
			firstKeys: []string{":1", ":1", ":1", ":1"}, secondKeys: []string{":2", ":2"}, after: 3500 * time.Millisecond},
		{name: "unknown is not repeated by the same route", first: fail(unknown), state: verify.AttemptSent, provider: "second", firstKeys: []string{":1"}, secondKeys: []string{":2"}, after: 8 * time.Second},
		{name: "unknown is repeated where the key is known", first: fail(unknown), repeatable: true, state: verify.AttemptSent, provider: "first", firstKeys: []string{":1", ":1"}, after: 8 * time.Second},
		{name: "unknown, then refused", first: fail(unknown), second: fail(badRequest), state: verify.AttemptUnknown, provider: "second", firstKeys: []string{":1"}, secondKeys: []string{":2"}, after: 8 * time.Second},
		{name: "unknown twice is the end", first: fail(unknown), second: fail(unknown), state: verify.AttemptUnknown, provider: "second", firstKeys: []string{":1"}, secondKeys: []string{":2"}, after: 8 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			first, second := &carrier{answers: c.first}, &carrier{answers: c.second}
			route := delivery.Route{Name: "first", Provider: first}
			if c.repeatable {
				route.Provider = repeatable{first}
			}
			a := w.turns(route, delivery.Route{Name: "second", Provider: second})
			if a.State != c.state || a.Provider != c.provider {
				t.Errorf("attempt is %s by %s, want %s by %s", a.State, a.Provider, c.state, c.provider)
			}
			if diff := cmp.Diff([][]string{c.firstKeys, c.secondKeys}, [][]string{first.keys, second.keys}); diff != "" {
				t.Errorf("hand-overs:\n%s", diff)
			}
			if got := w.now.Sub(start); got != c.after {
				t.Errorf("it took %s, want %s", got, c.after)
			}
		})
	}
}

func TestADeadProviderIsTriedForAMinute(t *testing.T) {
	w := newWorld(t)
	dead := &carrier{}
	for range 1000 {
		dead.answers = append(dead.answers, fail(temporary)...)
	}
	a := w.turns(delivery.Route{Name: "dead", Provider: dead})
	if a.State != verify.AttemptFailed || w.now.Sub(start) > time.Minute || len(dead.keys) != 7 {
		t.Errorf("%s after %d hand-overs in %s", a.State, len(dead.keys), w.now.Sub(start))
	}
}

func TestAProvidersPauseIsKept(t *testing.T) {
	w := newWorld(t)
	slow := &carrier{answers: []error{&provider.Error{Class: throttled, RetryAfter: 30 * time.Second}}}
	if a := w.turns(delivery.Route{Name: "slow", Provider: slow}); a.State != verify.AttemptSent || w.now.Sub(start) != 30*time.Second {
		t.Errorf("%s after %s, want sent after the half minute that was asked for", a.State, w.now.Sub(start))
	}
}

func TestWhatIsOverIsNotSent(t *testing.T) {
	for _, status := range []string{"approved", "canceled"} {
		t.Run(status, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.engine.UpdateVerification(t.Context(), w.acc, w.v.ServiceSID, w.v.SID, &status); err != nil {
				t.Fatal(err)
			}
			c := &carrier{}
			if a := w.turns(delivery.Route{Name: "c", Provider: c}); a.State != verify.AttemptDropped || len(c.keys) != 0 {
				t.Errorf("attempt is %s after %d hand-overs, want dropped", a.State, len(c.keys))
			}
		})
	}
}

func TestTheLogHasNoCodeAndNoNumber(t *testing.T) {
	w := newWorld(t)
	c := &carrier{answers: fail(badRequest)}
	d := &carrier{}
	w.turns(delivery.Route{Name: "c", Provider: c}, delivery.Route{Name: "d", Provider: d})
	if n := strings.Count(w.log.String(), "\n"); n != 2 {
		t.Errorf("%d lines for 2 hand-overs", n)
	}
	for _, secret := range []string{d.last.Code, "612345678", d.last.Text} {
		if secret == "" || strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q in it:\n%s", secret, w.log.String())
		}
	}
}

// A provider's bare error may hide a message that went out.
func TestABareErrorIsUnknown(t *testing.T) {
	w := newWorld(t)
	c := &carrier{answers: []error{errors.New("EOF")}}
	if a := w.turns(delivery.Route{Name: "c", Provider: c}); a.State != verify.AttemptUnknown || a.ErrorClass != "unknown" {
		t.Errorf("attempt is %s, %s", a.State, a.ErrorClass)
	}
}

// lane has one place, and keeps what runs in it for the test to carry out.
type lane struct {
	taken bool
	begun []verify.Job
}

func (l *lane) Reserve(string) (verify.Place, bool) {
	if l.taken {
		return nil, false
	}
	l.taken = true
	return l, true
}

func (l *lane) Claim(j verify.Job) verify.Job {
	j.Due, j.Runs = j.Due.Add(time.Minute), 1
	return j
}

func (l *lane) Run(j verify.Job) { l.begun = append(l.begun, j) }
func (l *lane) Release()         { l.taken = false }

func (w *world) resend(service string) error {
	to, channel := "+34612345678", "sms"
	_, err := w.engine.StartVerification(w.t.Context(), w.acc, service, verify.StartParams{To: &to, Channel: &channel})
	return err
}

// What comes straight from its commit is the same message, recorded in the same way.
func TestAMessageGoesOutStraightFromItsCommit(t *testing.T) {
	w := newWorld(t)
	queued := &carrier{}
	w.turns(delivery.Route{Name: "queued", Provider: queued})
	l := &lane{}
	w.engine.Lanes = l
	if err := w.resend(w.v.ServiceSID); err != nil {
		t.Fatal(err)
	}
	if len(l.begun) != 1 || l.begun[0].Delivery == nil {
		t.Fatalf("begun: %+v", l.begun)
	}
	direct := &carrier{answers: fail(temporary)}
	route := delivery.Route{Name: "direct", Provider: direct}
	if err := w.worker(route).Work(t.Context(), l.begun[0]); err != nil {
		t.Fatal(err)
	}
	if direct.last.Text != queued.last.Text || direct.last.Code != queued.last.Code || direct.last.Deadline != queued.last.Deadline {
		t.Errorf("straight from the commit came %+v, from the queue %+v", direct.last, queued.last)
	}
	w.turns(route) // the provider's failure left the job to the queue
	if _, found, err := w.store.NextDue(t.Context(), "sms"); len(direct.keys) != 2 || found || err != nil {
		t.Errorf("handed over %d times, want 2; still a job: %v, %v", len(direct.keys), found, err)
	}
}

func TestARefusedStartGivesItsPlaceBack(t *testing.T) {
	w := newWorld(t)
	l := &lane{}
	w.engine.Lanes = l
	for range 4 { // the first of five sends was the world's
		if err := w.resend(w.v.ServiceSID); err != nil {
			t.Fatal(err)
		}
		l.taken = false
	}
	if err := w.resend(w.v.ServiceSID); err == nil || l.taken || len(l.begun) != 4 {
		t.Errorf("the sixth send: %v; the place is taken: %v, %d were begun", err, l.taken, len(l.begun))
	}
}

// deadline is a provider that remembers how long it was given.
type deadline struct{ given time.Duration }

func (d *deadline) Send(ctx context.Context, _ provider.Message) (provider.Accepted, error) {
	if end, ok := ctx.Deadline(); ok {
		d.given = time.Until(end).Round(time.Second)
	}
	return provider.Accepted{}, nil
}

// A mail relay that scans takes longer than a gateway may; a code that dies sooner ends both.
func TestHowLongAHandOverMayTake(t *testing.T) {
	for _, c := range []struct {
		channel verify.Channel
		life    time.Duration
		want    time.Duration
	}{
		{verify.SMS, time.Minute, 10 * time.Second},
		{verify.Email, time.Minute, 30 * time.Second},
		{verify.Email, 20 * time.Second, 20 * time.Second},
	} {
		w := newWorld(t)
		d := &deadline{}
		worker := &delivery.Worker{
			Engine: w.engine, Routes: delivery.Routes{c.channel: delivery.Anywhere(delivery.Route{Name: "d", Provider: d})},
			Log: slog.New(slog.DiscardHandler), Now: time.Now,
		}
		attempt := &verify.Attempt{SID: w.v.Sends[0].AttemptSID, Channel: c.channel, To: "a@example.com", Locale: "en", State: verify.AttemptQueued}
		if err := worker.Work(t.Context(), verify.Job{ID: 1, Kind: string(c.channel), Runs: 1, Delivery: &verify.Delivery{
			Attempt: attempt, Code: "123456", TTL: c.life, Deadline: time.Now().Add(c.life),
		}}); err != nil {
			t.Fatal(err)
		}
		if d.given != c.want {
			t.Errorf("%s with %s to live was given %s, want %s", c.channel, c.life, d.given, c.want)
		}
		if turn := delivery.TurnTimeout(c.channel); turn < 2*c.want {
			t.Errorf("a turn of %s ends after %s, before two hand-overs of %s", c.channel, turn, c.want)
		}
		if err := w.store.Close(); err != nil { // the next world has the same name
			t.Fatal(err)
		}
	}
}

// messagingSID is the messaging service to which the service sends its Spanish text messages.
const messagingSID = "MG00000000000000000000000000000001"

func spainByMessagingService(e *verify.Engine, account, service string) error {
	country, sid := "ES", messagingSID
	_, err := e.CreateMessagingConfiguration(context.Background(), account, service, &country, &sid)
	return err
}

func TestAMessagingServicesProvidersCarry(t *testing.T) {
	refusing := &carrier{answers: []error{&provider.Error{Class: provider.BadRequest, Code: "1"}}}
	second, usual := &carrier{}, &carrier{}
	w := newWorld(t, spainByMessagingService)
	w.messaging = delivery.MessagingServices{messagingSID: {verify.SMS: delivery.Anywhere(delivery.Route{Name: "first", Provider: refusing}, delivery.Route{Name: "second", Provider: second})}}
	if !w.messaging.Carry(messagingSID, verify.SMS) || w.messaging.Carry(messagingSID, verify.RCS) || w.messaging.Carry("MG2", verify.SMS) {
		t.Error("Carry does not say what the table says")
	}
	a := w.turns(delivery.Route{Name: "usual", Provider: usual})
	if a.State != verify.AttemptSent || a.Provider != "second" || len(refusing.keys) != 1 || len(second.keys) != 1 || len(usual.keys) != 0 {
		t.Errorf("%s by %s; first got %d, second %d, the channel's own %d", a.State, a.Provider, len(refusing.keys), len(second.keys), len(usual.keys))
	}
}

// A table may be taken out of the configuration while messages are on their way.
func TestWithoutItsMessagingServiceAMessageGoesTheChannelsWay(t *testing.T) {
	usual := &carrier{}
	w := newWorld(t, spainByMessagingService)
	if a := w.turns(delivery.Route{Name: "usual", Provider: usual}); a.State != verify.AttemptSent || a.Provider != "usual" {
		t.Errorf("%s by %q, want sent by usual", a.State, a.Provider)
	}
}

// The words are the attempt's, whichever way it goes out and whatever becomes of the template.
func TestATemplatesTextReachesTheProvider(t *testing.T) {
	file, err := message.ReadFile([]byte(`{"name": "x", "default": "en", "variables": {"store": ""}, "translations": {
		"en": {"sms": "{{code}} {{store}}"}, "es": {"sms": "{{code}} de {{friendly_name}} en {{store}}"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	carried := &carrier{}
	route := delivery.Route{Name: "usual", Provider: carried}
	w.turns(route) // the world's own message is out of the way
	for _, c := range []struct {
		way      string
		straight int
	}{{"from the queue", 0}, {"straight from its commit", 1}} {
		p, err := w.engine.PutTemplate(t.Context(), w.acc, file, true)
		if err != nil {
			t.Fatal(err)
		}
		l := &lane{taken: c.straight == 0}
		w.engine.Lanes = l
		to, channel := "+34612345678", "sms"
		if _, err := w.engine.StartVerification(t.Context(), w.acc, w.v.ServiceSID, verify.StartParams{
			To: &to, Channel: &channel, TemplateSID: p.SID, Substitutions: `{"store": "Sol"}`,
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.engine.RemoveTemplate(t.Context(), w.acc, p.SID); err != nil {
			t.Fatal(err)
		}
		before := len(carried.keys)
		for _, job := range l.begun {
			if err := w.worker(route).Work(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		}
		straight := len(carried.keys) - before
		w.turns(route)
		if sent := len(carried.keys) - before; sent != 1 || straight != c.straight {
			t.Fatalf("%s: %d messages went out, %d of them straight from the commit", c.way, sent, straight)
		}
		m := carried.last
		if want := m.Code + " de Acme en Sol"; m.Text != want || m.Locale != "es" || m.Segments != 1 || m.Encoding != "gsm7" {
			t.Errorf("%s: got %q in %s, %d segments of %s; want %q", c.way, m.Text, m.Locale, m.Segments, m.Encoding, want)
		}
	}
}
