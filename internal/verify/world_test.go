package verify_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/storetest"
	"github.com/verifyd/verifyd/internal/verify"
)

// world is an engine on a real store, with a clock of its own. Every Update runs twice.
type world struct {
	*verify.Engine
	t       *testing.T
	store   *sqlite.Store
	mu      sync.Mutex
	now     time.Time
	account string
	service string
	payment bool // every start and check is of the same one
}

func newWorld(t *testing.T, settings verify.ServiceParams) *world {
	t.Helper()
	w := &world{t: t, now: start}
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: w.clock, Log: slog.New(slog.DiscardHandler)})
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
	w.Engine = verify.NewEngine(storetest.Replay{Store: store}, keys, w.clock, rand.Reader, func(verify.Channel) bool { return true })
	a, _, err := w.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	name := "Acme"
	if settings.FriendlyName == nil {
		settings.FriendlyName = &name
	}
	s, err := w.CreateService(t.Context(), a.SID, settings)
	if err != nil {
		t.Fatal(err)
	}
	w.account, w.service = a.SID, s.SID
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

const ana = "+34612345678"

func (w *world) start(to, channel string) (*verify.Verification, error) {
	p := verify.StartParams{To: &to, Channel: &channel}
	if w.payment {
		p.Amount, p.Payee = "€ 39.99", "Acme"
	}
	return w.StartVerification(w.t.Context(), w.account, w.service, p)
}

func (w *world) mustStart(to, channel string) *verify.Verification {
	w.t.Helper()
	v, err := w.start(to, channel)
	if err != nil {
		w.t.Fatalf("start: %v", err)
	}
	return v
}

func (w *world) check(to, code string) (*verify.Verification, verify.CheckOutcome, error) {
	p := verify.CheckParams{To: &to, Code: &code}
	if w.payment {
		p.Amount, p.Payee = "€ 39.99", "Acme"
	}
	return w.CheckVerification(w.t.Context(), w.account, w.service, p)
}

// code reads the code of the latest send, as a worker would.
func (w *world) code(v *verify.Verification) string {
	w.t.Helper()
	d, ok, err := w.Delivery(w.t.Context(), v.Sends[len(v.Sends)-1].AttemptSID)
	if err != nil || !ok {
		w.t.Fatalf("delivery: %v, %v", ok, err)
	}
	return d.Code
}

// other is a code that is not the right one.
func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// refusal is the refusal that an error is, nil if it is none.
func refusal(err error) *verify.Error {
	refused, _ := errors.AsType[*verify.Error](err)
	return refused
}

func wantCode(t *testing.T, err error, code verify.Code, reason verify.Reason) {
	t.Helper()
	refused, ok := errors.AsType[*verify.Error](err)
	if !ok || refused.Code != code || refused.Reason != reason {
		t.Fatalf("got %v, want code %d, reason %q", err, code, reason)
	}
}
