package smtp_test

import (
	"context"
	"log/slog"
	"net"
	gonet "net/smtp"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/smtp"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	mail "github.com/verifyd/verifyd/provider/smtp"
)

// world is a provider, its relay, and where its bounces arrive.
type world struct {
	*testing.T
	desk     *desk.Desk
	server   *smtp.Server
	address  string
	provider *mail.Provider
	reports  chan provider.Report
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, desk: &desk.Desk{Seed: 1}, reports: make(chan provider.Report, 10)}
	w.server = smtp.New(w.desk, slog.New(slog.DiscardHandler))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = l.Addr().String()
	served := make(chan error)
	go func() { served <- w.server.Serve(l) }()
	// The address of bounces has to be known before the provider listens there.
	bounces, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bounces.Close()
	w.server.Bounces(bounces.Addr().String())
	w.provider, err = mail.New(mail.Config{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "none", Username: smtp.Username, Password: smtp.Password,
		From: "codes@acme.example", BounceAddress: "bounces@acme.example", BounceListen: bounces.Addr().String(), Timeout: "1m",
	}, provider.Deps{Report: func(_ context.Context, r provider.Report) error {
		w.reports <- r
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- w.provider.Run(ctx) }()
	t.Cleanup(func() {
		w.provider.Close()
		w.server.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) knobs(text string) {
	w.Helper()
	knobs, err := desk.Parse([]byte(`{"knobs":[`+text+`]}`), nil)
	if err != nil {
		w.Fatal(err)
	}
	w.desk.Set(knobs)
}

func TestAMailArrives(t *testing.T) {
	w := newWorld(t)
	m := providertest.Message("email", 1)
	accepted, err := w.provider.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	got := w.desk.Messages(t.Context(), desk.Query{})[0]
	if got.To != m.To || got.ID != accepted.ID || got.From != "codes@acme.example" || !strings.HasPrefix(got.Text, m.Email.Subject+"\n\n") ||
		!strings.Contains(got.Text, m.Code) {
		t.Errorf("accepted %+v, arrived %+v", accepted, got)
	}
}

func TestABounceComesBack(t *testing.T) {
	w := newWorld(t)
	w.knobs(`{"report":["sent","failed","delivered","bad_recipient"]}`)
	m := providertest.Message("email", 1)
	if _, err := w.provider.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	// A delay says nothing final, and nobody asked to be told of success.
	for _, want := range []provider.Report{
		{Key: m.Key, State: provider.Failed, Class: provider.Temporary, Code: "552 5.2.2"},
		{Key: m.Key, State: provider.Failed, Class: provider.BadRecipient, Code: "550 5.1.1"},
	} {
		got := <-w.reports
		got.At = want.At
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestRefusalsMeanTheirClass(t *testing.T) {
	w := newWorld(t)
	for answer, want := range map[string]provider.Class{
		"bad_recipient": provider.BadRecipient, "bad_request": provider.BadRequest, "temporary": provider.Temporary,
		"throttled": provider.Throttled, "unknown": provider.Unknown, "dropped": provider.Unknown,
	} {
		w.knobs(`{"answer":"` + answer + `"}`)
		_, err := w.provider.Send(t.Context(), providertest.Message("email", 1))
		if err == nil || provider.AsError(err).Class != want {
			t.Errorf("%s: %v, want class %v", answer, err, want)
		}
	}
	if n := len(w.desk.Messages(t.Context(), desk.Query{All: true})); n != 6 {
		t.Errorf("%d mails were noted, want 6", n)
	}
}

func TestASilentRelayIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.knobs(`{"answer":"silent"}`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := w.provider.Send(ctx, providertest.Message("email", 1))
		done <- err
	}()
	w.desk.Messages(t.Context(), desk.Query{All: true})
	cancel()
	if err := <-done; err == nil || provider.AsError(err).Class != provider.Unknown {
		t.Errorf("%v, want class unknown", err)
	}
}

func TestARelayThatIsCutIsGone(t *testing.T) {
	w := newWorld(t)
	if _, err := w.provider.Send(t.Context(), providertest.Message("email", 0)); err != nil {
		t.Fatal(err)
	}
	w.server.Cut()
	if _, err := w.provider.Send(t.Context(), providertest.Message("email", 1)); err == nil || provider.AsError(err).Class != provider.Temporary {
		t.Errorf("%v, want class temporary", err)
	}
}

func TestWhatARelayRefuses(t *testing.T) {
	w := newWorld(t)
	good := gonet.PlainAuth("", smtp.Username, smtp.Password, "127.0.0.1")
	const head = "From: a@acme.example\r\nTo: b@acme.example\r\nDate: Thu, 02 Jan 2031 03:00:00 +0000\r\nMessage-ID: <1@x>\r\nSubject: 123456\r\n"
	for name, c := range map[string]struct {
		auth    gonet.Auth
		content string
		want    string
	}{
		"a stranger":       {nil, "", "502"},
		"a wrong password": {gonet.PlainAuth("", smtp.Username, "x", "127.0.0.1"), "", "535"},
		"words":            {good, "words", "this is no mail"},
		"no Date":          {good, strings.Replace(head, "Date", "Data", 1) + "\r\n", "Date is missing"},
		"another charset":  {good, head + "Content-Type: text/plain; charset=latin1\r\n\r\nx", "no text in UTF-8"},
		"HTML alone":       {good, head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nx\r\n--b--\r\n", "no part is text"},
	} {
		err := gonet.SendMail(w.address, c.auth, "a@acme.example", []string{"b@acme.example"}, []byte(c.content))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
