// Package verifytest is a verifyd in the test process: the API of Twilio Verify v2 on a port of its own, an
// inbox that knows every code, and a clock that the test moves.
//
//	srv := verifytest.Start(t)
//	startSignIn(srv.Client(), "+34612345678") // the code under test
//	code := srv.Code(t, "+34612345678")
//	srv.Advance(10 * time.Minute)             // and it is no longer good
//
// It is the server of `verifyd dev`, so what holds here holds there and, but for the carriers, in production.
// It keeps its records in memory and starts in some milliseconds, so every test may have one of its own.
package verifytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/devserver"
	"github.com/verifyd/verifyd/internal/intercept"
	"github.com/verifyd/verifyd/internal/rules"
)

// Server is a verifyd that runs.
type Server struct {
	// URL is its base, "http://127.0.0.1:" and a port: what stands in the place of
	// https://verify.twilio.com.
	URL string
	// AccountSID (AC…) and AuthToken are the credentials of its account, and ServiceSID (VA…) a service of
	// that account.
	AccountSID, AuthToken, ServiceSID string

	t      testing.TB   // nil if it was made by New
	taken  atomic.Int64 // snapshots
	cancel context.CancelFunc
	ended  chan error
}

// Option changes how a Server is made.
type Option func(*devserver.Options)

// Seed has every SID and code be the same in every run with the same number, if the same things are asked for
// in the same order. Time stands still from the beginning, at noon of 1 January 2026 UTC.
func Seed(n uint64) Option { return func(o *devserver.Options) { o.Seed = &n } }

// World has the server start with the test world of a file, and go back to it at every Reset: services under
// SIDs that the program under test knows, rate limits, templates, people with their authenticator apps, rules.
// docs/testing.md has one. ServiceSID is the first of its services.
func World(file string) Option { return func(o *devserver.Options) { o.World = file } }

// Limits has bursts, polling and guessing refused as a production server does.
func Limits() Option { return func(o *devserver.Options) { o.Limits = true } }

// Rule says what becomes of messages to some destinations, of lookups of them and of their codes;
// docs/testing.md has the table of its Carrier.
type Rule = rules.Rule

// SetRules puts rules in the place of those that held. It fails the test where one is wrong.
func (s *Server) SetRules(rules ...Rule) {
	text, err := json.Marshal(map[string][]Rule{"rules": rules})
	s.must(err)
	s.must(s.call(context.Background(), http.MethodPut, "/dev/rules", bytes.NewReader(text), nil))
}

// Start starts a server that runs until the test and its subtests have ended. What it warns of is in the
// test's log.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := start(t.Output(), options)
	if err != nil {
		t.Fatalf("verifytest: %v", err)
	}
	s.t = t
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("verifytest: %v", err)
		}
	})
	return s
}

// New is Start for TestMain, or wherever there is no test: the caller must Close it.
func New(options ...Option) (*Server, error) { return start(io.Discard, options) }

func start(log io.Writer, options []Option) (*Server, error) {
	o := devserver.Options{
		Log:   slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Place: "memory",
	}
	for _, option := range options {
		option(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d, err := open(ctx, &o)
	if err != nil {
		cancel()
		return nil, errors.Join(err, o.Close())
	}
	s := &Server{
		URL: d.World.URL, AccountSID: d.World.Account, AuthToken: d.World.Token, ServiceSID: d.World.Service,
		cancel: cancel, ended: make(chan error, 1),
	}
	go func() { s.ended <- d.Run(ctx) }()
	return s, nil
}

func open(ctx context.Context, o *devserver.Options) (d *devserver.Server, err error) {
	if o.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if o.Store, o.Engine, err = devserver.OpenMemory(ctx, o.Log); err != nil {
		return nil, err
	}
	return devserver.New(ctx, *o)
}

// Close stops the server: requests that are under way are answered. A second Close does nothing.
func (s *Server) Close() error {
	s.cancel()
	err := <-s.ended
	s.ended <- nil
	return err
}

// Client is a client whose calls to https://verify.twilio.com, with whatever edge and region, reach the
// server, and all others the hosts that they name. It is what twilio-go takes as HTTPClient.
func (s *Server) Client() *http.Client {
	base, err := url.Parse(s.URL)
	if err != nil {
		panic(err) // it was made of an address
	}
	return &http.Client{Transport: divert{base}}
}

// divert sends the calls of the Verify API to one server.
type divert struct{ to *url.URL }

func (d divert) RoundTrip(r *http.Request) (*http.Response, error) {
	if intercept.Diverts(r.URL.Hostname()) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = d.to.Scheme, d.to.Host, d.to.Host
	}
	return http.DefaultTransport.RoundTrip(r)
}

// patience is how long Code waits: far longer than a message takes.
const patience = 30 * time.Second

// Code is the newest code that a number or an e-mail address was sent, of a verification that is pending. It
// waits until there is one; if none comes in half a minute, the test has failed.
func (s *Server) Code(t testing.TB, to string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code, err := s.WaitForCode(ctx, to)
	if err != nil {
		t.Fatalf("verifytest: no code for %s: %v", to, err)
	}
	return code
}

// WaitForCode is Code for where there is no test. It ends with ctx.
func (s *Server) WaitForCode(ctx context.Context, to string) (string, error) {
	query := url.Values{"to": {to}, "pending": {"true"}, "limit": {"1"}, "wait": {"1m"}}
	for {
		var inbox struct{ Messages []struct{ Code string } }
		if err := s.call(ctx, http.MethodGet, "/dev/inbox?"+query.Encode(), nil, &inbox); err != nil {
			return "", err
		}
		if len(inbox.Messages) > 0 {
			return inbox.Messages[0].Code, nil
		}
	}
}

// Reset has everything be as it was at the start, but for the time: records, messages and rules are gone, the
// account and the service are there under the same SIDs.
func (s *Server) Reset() {
	s.must(s.call(context.Background(), http.MethodPost, "/dev/reset", nil, nil))
}

// A Snapshot is everything that a Server had at one time. Take one with Server.Snapshot.
type Snapshot struct{ name string }

// Snapshot notes everything: records, messages, rules, time, and where a seed has come to. It takes some
// milliseconds. A server keeps twenty, until it is closed.
func (s *Server) Snapshot() Snapshot {
	taken := Snapshot{fmt.Sprint("test-", s.taken.Add(1))}
	s.must(s.call(context.Background(), http.MethodPost, "/dev/snapshots?name="+taken.name, nil, nil))
	return taken
}

// Restore has everything be as it was when a snapshot of this server was taken, its time too: it goes on from
// there. The same calls have the same answers then; with Seed, the same SIDs and codes.
func (s *Server) Restore(to Snapshot) {
	s.must(s.call(context.Background(), http.MethodPost, "/dev/snapshots/"+to.name+"/restore", nil, nil))
}

// Freeze stops the server's time.
func (s *Server) Freeze() { s.move("freeze=true") }

// Resume lets the server's time run on from where it stands.
func (s *Server) Resume() { s.move("resume=true") }

// Advance moves the server's time on. Whatever is due on the way, an end of a code or a webhook that is tried
// again, happens at its time and in its order, and has happened when Advance returns.
func (s *Server) Advance(d time.Duration) { s.move("advance=" + d.String()) }

// Next moves the server's time to what is due next, and has it done.
func (s *Server) Next() { s.move("next=true") }

// AdvanceService moves the time of one service (VA…) on, and leaves the others': its codes expire, its rate limits
// refill, what waits in it comes due in its order. It is ahead of the server's time from then on.
func (s *Server) AdvanceService(serviceSID string, d time.Duration) {
	s.move("advance=" + d.String() + "&service=" + url.QueryEscape(serviceSID))
}

// NextOfService moves the time of one service to what is due next in it, and has it done.
func (s *Server) NextOfService(serviceSID string) {
	s.move("next=true&service=" + url.QueryEscape(serviceSID))
}

// Now is the server's time.
func (s *Server) Now() time.Time {
	var shows struct{ Now time.Time }
	s.must(s.call(context.Background(), http.MethodGet, "/dev/clock", nil, &shows))
	return shows.Now
}

func (s *Server) move(how string) {
	s.must(s.call(context.Background(), http.MethodPost, "/dev/clock?"+how, nil, nil))
}

// must ends the test at what only a wrong call or a server that has stopped can cause.
func (s *Server) must(err error) {
	switch {
	case err == nil:
	case s.t != nil:
		s.t.Helper()
		s.t.Fatalf("verifytest: %v", err)
	default:
		panic(fmt.Errorf("verifytest: %w", err))
	}
}

// call calls the server; into takes the answer, nil if it does not matter.
func (s *Server) call(ctx context.Context, method, path string, body io.Reader, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		var refusal struct{ Message string }
		_ = json.NewDecoder(answer.Body).Decode(&refusal)
		return fmt.Errorf("%s %s: %s %s", method, path, answer.Status, refusal.Message)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
