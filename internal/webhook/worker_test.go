package webhook

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// post is what a receiver got.
type post struct {
	header http.Header
	form   url.Values
	body   string
}

// receiver is a real HTTP server that answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	posts  []post
	answer http.HandlerFunc
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		form, _ := url.ParseQuery(string(body))
		r.mu.Lock()
		r.posts = append(r.posts, post{q.Header, form, string(body)})
		r.mu.Unlock()
		r.answer(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]post(nil), r.posts...)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// world is an engine over a real store, on a clock of its own, with a worker.
type world struct {
	t       *testing.T
	now     time.Time
	store   *sqlite.Store
	engine  *verify.Engine
	factors *factor.Engine
	worker  *Worker
	account string
	token   string
	service string
}

func newWorld(t *testing.T, client *http.Client) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
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
	w.engine = verify.NewEngine(store, keys, clock, rand.Reader, func(verify.Channel) bool { return true })
	w.factors = factor.NewEngine(w.engine)
	w.anotherAccount()
	w.worker = &Worker{
		Engine: w.engine, Client: client, Log: slog.New(slog.DiscardHandler), Now: clock, Random: func() float64 { return 0 },
	}
	return w
}

// anotherAccount makes an account with a service, whose hooks and factors those are that follow.
func (w *world) anotherAccount() {
	w.t.Helper()
	a, token, err := w.engine.CreateAccount(w.t.Context(), "test", "", "")
	if err != nil {
		w.t.Fatal(err)
	}
	name, on := "Acme", true
	s, err := w.engine.CreateService(w.t.Context(), a.SID, verify.ServiceParams{FriendlyName: &name, VerifyEventSubscription: &on})
	if err != nil {
		w.t.Fatal(err)
	}
	w.account, w.token, w.service = a.SID, token, s.SID
}

func (w *world) hook(target string) *verify.Webhook {
	w.t.Helper()
	name := "audit"
	h, err := w.engine.CreateWebhook(w.t.Context(), w.account, w.service,
		verify.WebhookParams{FriendlyName: &name, EventTypes: []string{"*"}, WebhookURL: &target})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// factor makes a factor, which is an event.
func (w *world) factor() *factor.NewFactor {
	w.t.Helper()
	name, kind := "Ann", "totp"
	f, err := w.factors.CreateFactor(w.t.Context(), w.account, w.service, "user-7f3a91c2", factor.Params{FriendlyName: &name, FactorType: &kind})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// verification starts one for the n-th number, which is an event for the sink.
func (w *world) verification(n int) {
	w.t.Helper()
	w.engine.Announced = verify.Subscription{verify.VerificationPending: true}
	to, channel := fmt.Sprintf("+3461234%04d", n), "sms"
	if _, err := w.engine.StartVerification(w.t.Context(), w.account, w.service, verify.StartParams{To: &to, Channel: &channel}); err != nil {
		w.t.Fatal(err)
	}
}

// work runs the jobs that are due.
func (w *world) work() (n int) {
	w.t.Helper()
	for _, kind := range []string{verify.ToWebhook, verify.ToSink} {
		jobs, err := w.store.Claim(w.t.Context(), kind, w.now, w.now.Add(time.Minute), 100)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, job := range jobs {
			if err := w.worker.Work(w.t.Context(), job); err != nil {
				w.t.Fatal(err)
			}
			n++
		}
	}
	return n
}

func (w *world) deliveries() []verify.EventDelivery {
	w.t.Helper()
	list, err := w.engine.EventDeliveries(w.t.Context(), verify.EventQuery{AccountSID: w.account}, verify.Page{Size: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// only is the one delivery that there is.
func (w *world) only() verify.EventDelivery {
	w.t.Helper()
	list := w.deliveries()
	if len(list) != 1 {
		w.t.Fatalf("%d deliveries, want one: %+v", len(list), list)
	}
	return list[0]
}

var _ queue.Worker = (*Worker)(nil)

func TestAnEventIsPostedOnceAndSigned(t *testing.T) {
	r := newReceiver(t, status(204))
	w := newWorld(t, NewClient(loopback, nil))
	w.hook(r.URL + "/hooks?tenant=7")
	f := w.factor()
	if n := w.work(); n != 1 {
		t.Fatalf("%d jobs, want 1", n)
	}
	w.now = w.now.Add(48 * time.Hour)
	if n := w.work(); n != 0 {
		t.Errorf("%d jobs after the delivery, want none", n)
	}
	got := r.got()
	if len(got) != 1 {
		t.Fatalf("%d posts, want 1", len(got))
	}
	d := w.only()
	want := url.Values{
		"uuid": {d.UUID}, "type": {"factor.created"}, "account_sid": {w.account}, "service_sid": {w.service},
		"entity_identity": {"user-7f3a91c2"}, "factor_sid": {f.SID}, "factor_type": {"totp"},
	}
	if got[0].form.Encode() != want.Encode() {
		t.Errorf("got %s\nwant %s", got[0].form.Encode(), want.Encode())
	}
	if h := got[0].header; h.Get("X-Twilio-Signature") != Sign(w.token, r.URL+"/hooks?tenant=7", want) || h.Get("I-Twilio-Idempotency-Token") != d.UUID {
		t.Errorf("headers %v", h)
	}
	if d.State != verify.EventDelivered || len(d.Tries) != 1 || d.Tries[0].Code != 204 || d.Tries[0].Error != "" {
		t.Errorf("delivery %+v", d)
	}
}

// The same in JSON: the members in the order of the reference, and the hash of the body in the URL.
func TestAnEventInJSON(t *testing.T) {
	var called string
	r := newReceiver(t, func(_ http.ResponseWriter, q *http.Request) { called = q.URL.String() })
	w := newWorld(t, NewClient(loopback, nil))
	w.engine.JSONWebhooks = true
	w.hook(r.URL + "/hooks")
	f := w.factor()
	w.work()
	d, got := w.only(), r.got()
	want := fmt.Sprintf(`{"uuid":%q,"type":"factor.created","account_sid":%q,"service_sid":%q,"entity_identity":"user-7f3a91c2","factor_sid":%q,"factor_type":"totp"}`,
		d.UUID, w.account, w.service, f.SID)
	signature, target := SignJSON(w.token, r.URL+"/hooks", want)
	if len(got) != 1 || got[0].body != want || r.URL+called != target || d.State != verify.EventDelivered {
		t.Fatalf("%s: %+v, want\n%s", called, got, want)
	}
	if h := got[0].header; h.Get("X-Twilio-Signature") != signature || h.Get("Content-Type") != "application/json" || h.Get("I-Twilio-Idempotency-Token") != d.UUID {
		t.Errorf("headers %v", h)
	}
}

// The receiver is down all the time: every pause is kept, the UUID stays, and in the end it is given up.
func TestAFailureIsTriedAgainAndGivenUp(t *testing.T) {
	r := newReceiver(t, status(503))
	w := newWorld(t, NewClient(loopback, nil))
	w.hook(r.URL)
	w.factor()
	w.work()
	for i, pause := range pauses {
		w.now = w.now.Add(pause - time.Millisecond)
		if n := w.work(); n != 0 {
			t.Fatalf("try %d comes before its pause of %s", i+2, pause)
		}
		w.now = w.now.Add(time.Millisecond)
		if n := w.work(); n != 1 {
			t.Fatalf("no try %d after %s", i+2, pause)
		}
	}
	d := w.only()
	if d.State != verify.EventFailed || len(d.Tries) != len(pauses)+1 || d.Tries[0].Error != "answered 503" || d.Tries[0].Code != 503 {
		t.Errorf("delivery %+v", d)
	}
	for _, p := range r.got() {
		if p.form.Get("uuid") != d.UUID {
			t.Errorf("a try had the UUID %s, want %s", p.form.Get("uuid"), d.UUID)
		}
	}
	w.now = w.now.Add(72 * time.Hour)
	if n := w.work(); n != 0 {
		t.Errorf("%d jobs after it was given up", n)
	}
	r.answer = status(200)
	if _, err := w.engine.ResendEvent(t.Context(), w.account, d.SID); err != nil {
		t.Fatal(err)
	}
	w.work()
	if d := w.only(); d.State != verify.EventDelivered || len(d.Tries) != len(pauses)+2 {
		t.Errorf("sent again: %+v", d)
	}
}

func TestAnswersThatEndOrDoNot(t *testing.T) {
	for _, c := range []struct {
		code  int
		state verify.EventState
	}{
		{200, verify.EventDelivered}, {201, verify.EventDelivered}, {299, verify.EventDelivered},
		{301, verify.EventQueued}, {400, verify.EventQueued}, {404, verify.EventQueued}, {429, verify.EventQueued},
		{500, verify.EventQueued}, {410, verify.EventFailed},
	} {
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			w := newWorld(t, NewClient(loopback, nil))
			w.hook(newReceiver(t, status(c.code)).URL)
			w.factor()
			w.work()
			if d := w.only(); d.State != c.state || d.Tries[0].Code != c.code {
				t.Errorf("%+v, want %s", d, c.state)
			}
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	secret := newReceiver(t, status(200))
	r := newReceiver(t, func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, secret.URL, http.StatusTemporaryRedirect)
	})
	w := newWorld(t, NewClient(loopback, nil))
	w.hook(r.URL)
	w.factor()
	w.work()
	if n := len(secret.got()); n != 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
	if d := w.only(); d.State != verify.EventQueued || d.Tries[0].Error != "answered 307" {
		t.Errorf("%+v", d)
	}
}

// What a receiver sends is nowhere to be read: the URL may be something inside the network.
func TestNothingOfAnAnswerIsKept(t *testing.T) {
	const inside = "credentials-of-the-machine"
	answers := map[string]http.HandlerFunc{
		"body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Secret", inside)
			w.WriteHeader(500)
			_, _ = io.WriteString(w, inside)
		},
		"no HTTP": func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "SSH-2.0-"+inside+"\r\n")
				_ = c.Close()
			}
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, NewClient(loopback, nil))
			w.hook(newReceiver(t, answer).URL)
			w.factor()
			w.work()
			if d := w.only(); d.Tries[0].Error == "" || strings.Contains(fmt.Sprintf("%+v", d), inside) {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestASlowReceiverIsCutOff(t *testing.T) {
	stop := make(chan struct{})
	r := newReceiver(t, func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-stop:
		case <-q.Context().Done():
		}
	})
	t.Cleanup(func() { close(stop) })
	client := NewClient(loopback, nil)
	client.Timeout = 50 * time.Millisecond
	w := newWorld(t, client)
	w.hook(r.URL)
	w.factor()
	w.work()
	if d := w.only(); d.State != verify.EventQueued || d.Tries[0].Error != "no answer in time" || d.Tries[0].Code != 0 {
		t.Errorf("%+v", d)
	}
}

func TestNothingGoesToAWebhookThatIsGone(t *testing.T) {
	for name, end := range map[string]func(*world, *verify.Webhook) error{
		"deleted": func(w *world, h *verify.Webhook) error {
			return w.engine.DeleteWebhook(w.t.Context(), w.account, w.service, h.SID)
		},
		"disabled": func(w *world, h *verify.Webhook) error {
			off := "disabled"
			_, err := w.engine.UpdateWebhook(w.t.Context(), w.account, w.service, h.SID, verify.WebhookParams{Status: &off})
			return err
		},
		"its service deleted": func(w *world, _ *verify.Webhook) error {
			return w.engine.DeleteService(w.t.Context(), w.account, w.service)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, status(200))
			w := newWorld(t, NewClient(loopback, nil))
			h := w.hook(r.URL)
			w.factor()
			if err := end(w, h); err != nil {
				t.Fatal(err)
			}
			w.work()
			if d := w.only(); d.State != verify.EventDropped || len(r.got()) != 0 {
				t.Errorf("%+v, %d posts", d, len(r.got()))
			}
		})
	}
}

// After twenty failures in a row a URL is left alone for a minute, and others are not.
func TestAURLThatAlwaysFailsIsLeftAlone(t *testing.T) {
	broken, good := newReceiver(t, status(500)), newReceiver(t, status(200))
	w := newWorld(t, NewClient(loopback, nil))
	w.hook(broken.URL)
	w.hook(good.URL)
	for range breakAfter + 5 {
		w.factor()
	}
	w.work()
	if n := len(broken.got()); n != breakAfter {
		t.Errorf("%d calls of the broken one, want %d", n, breakAfter)
	}
	if n := len(good.got()); n != breakAfter+5 {
		t.Errorf("%d calls of the good one, want %d", n, breakAfter+5)
	}
	broken.answer = status(200)
	w.now = w.now.Add(breakFor + 10*time.Second)
	w.work()
	if n := len(broken.got()); n != 2*breakAfter+5 {
		t.Errorf("%d calls after the pause, want all of them: %d", n, 2*breakAfter+5)
	}
}

func TestTheSinkGetsCloudEvents(t *testing.T) {
	r := newReceiver(t, status(200))
	w := newWorld(t, NewClient(nil, nil))
	w.worker.Sink = Sink{URL: r.URL, Key: []byte("0123456789abcdef"), Client: r.Client()}
	w.verification(1)
	w.work()
	got := r.got()
	if len(got) != 1 || !strings.Contains(got[0].body, `"type":"com.twilio.accountsecurity.verify.verification.pending"`) {
		t.Fatalf("%+v", got)
	}
	if h := got[0].header; h.Get("Content-Type") != "application/json" || !strings.HasPrefix(h.Get("Webhook-Signature"), "v1,") || h.Get("Webhook-Id") != w.only().UUID {
		t.Errorf("headers %v", h)
	}
}

// A webhook may name the URL of the sink, by mistake or on purpose. What is the matter with the one is not the
// other's: the calls of a webhook are refused here where they are dialled, and those of the sink are not.
func TestAWebhookCannotCloseTheSink(t *testing.T) {
	r := newReceiver(t, status(200))
	w := newWorld(t, NewClient(nil, nil))
	w.worker.Sink = Sink{URL: r.URL, Client: r.Client()}
	w.hook(r.URL)
	for range breakAfter {
		w.factor()
	}
	if n := w.work(); n != breakAfter || len(r.got()) != 0 {
		t.Fatalf("%d jobs, %d posts of a webhook that is refused", n, len(r.got()))
	}
	w.verification(1)
	w.work()
	if n := len(r.got()); n != 1 {
		t.Errorf("%d posts of the sink, want one", n)
	}
}

func TestTheSinkCannotCloseAWebhook(t *testing.T) {
	r := newReceiver(t, status(200))
	w := newWorld(t, NewClient(loopback, nil))
	w.worker.Sink = Sink{URL: r.URL, Client: NewClient(nil, nil)}
	w.hook(r.URL)
	for n := range breakAfter {
		w.verification(n)
	}
	if n := w.work(); n != breakAfter || len(r.got()) != 0 {
		t.Fatalf("%d jobs, %d posts of a sink that is refused", n, len(r.got()))
	}
	w.factor()
	w.work()
	if n := len(r.got()); n != 1 {
		t.Errorf("%d posts of the webhook, want one", n)
	}
}

// Private addresses are refused when they are dialled, under whatever name.
