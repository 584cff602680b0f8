package api_test

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/passkey/passkeytest"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is the API over a real store, on a clock of its own.
type world struct {
	t       *testing.T
	engine  *verify.Engine
	handler http.Handler
	now     time.Time
	routed  map[verify.Channel]bool
	account string
	token   string
	log     bytes.Buffer
	names   map[string]string // SIDs by the name that the conversation knows them by
	// user and password are those of the requests of a conversation.
	user, password string
	seen           map[string]bool // operations of the document, each with a status: "FetchService 200"
	passkey        *passkeytest.Authenticator
	answers        [][]byte // all bodies, the latest one last
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: start, names: map[string]string{}, seen: map[string]bool{}, routed: map[verify.Channel]bool{}}
	for _, c := range verify.Channels() {
		w.routed[c] = true
	}
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
	w.engine = verify.NewEngine(store, keys, clock, rand.Reader, func(c verify.Channel) bool { return w.routed[c] })
	w.handler = api.New(w.engine, "https://verify.example.com", slog.New(slog.NewJSONHandler(&w.log, nil)))
	a, token, err := w.engine.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	w.account, w.token = a.SID, token
	w.user, w.password = a.SID, token
	w.names["AC"] = a.SID
	return w
}

// do sends one request with the account's credentials.
func (w *world) do(method, path, body string) *httptest.ResponseRecorder {
	return w.as(w.account, w.token, method, path, body)
}

func (w *world) as(user, password, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	switch {
	case strings.HasPrefix(body, "{"):
		r.Header.Set("Content-Type", "application/json")
	case method == http.MethodPost:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	w.checkDocument(method, path, body, rec)
	return rec
}

// code reads the code of a verification's latest message.
func (w *world) code(verificationSID string) string {
	var v *verify.Verification
	err := w.engine.Store.View(w.t.Context(), func(tx verify.Tx) (err error) {
		v, err = tx.Verification(verificationSID)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	d, ok, err := w.engine.Delivery(w.t.Context(), v.Sends[len(v.Sends)-1].AttemptSID)
	if err != nil || !ok {
		w.t.Fatalf("code of %s: %v, %v", verificationSID, ok, err)
	}
	return d.Code
}
