package factor_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/store/storetest"
	"github.com/verifyd/verifyd/internal/verify"
)

// world is an engine, and that of factors on it, on a real store, with a clock of its own. Every Update runs
// twice.
type world struct {
	*verify.Engine
	*factors
	t       *testing.T
	store   *sqlite.Store
	mu      sync.Mutex
	now     time.Time
	account string
	service string
}

type factors = factor.Engine

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

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
	w.factors = factor.NewEngine(w.Engine)
	a, _, err := w.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if settings.FriendlyName == nil {
		settings.FriendlyName = new("Acme")
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
