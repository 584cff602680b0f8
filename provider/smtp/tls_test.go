package smtp

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// TestACertificateThatIsNotValidEndsIt: no mail, no password, and no second try without TLS.
func TestACertificateThatIsNotValidEndsIt(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for name, certificate := range map[string]tls.Certificate{
		"of an authority unknown": theirs.issue(soon, "127.0.0.1"),
		"for another host":        ours.issue(soon, "mail.example.com"),
		"expired":                 ours.issue(past, "127.0.0.1"),
	} {
		for _, implicit := range []bool{false, true} {
			r := newRelay(t, relayOptions{certificate: certificate, implicit: implicit})
			c := r.config(ours)
			if implicit {
				c.TLS = implicitTLS
			}
			p := mustNew(t, c, provider.Deps{})
			_, err := p.Send(t.Context(), providertest.Message("email", 1))
			if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, "certificate") {
				t.Errorf("%s, implicit %v: got %v, want class bad_request and the reason", name, implicit, err)
			}
			if n := len(r.received()); n != 0 || r.dialled() != 1 {
				t.Errorf("%s, implicit %v: %d mails by %d connections, want none by 1", name, implicit, n, r.dialled())
			}
		}
	}
}

// TestWithoutSTARTTLSNothingIsSaid: somebody may have removed the line.
func TestWithoutSTARTTLSNothingIsSaid(t *testing.T) {
	s := (&script{}).start(t)
	c := s.config()
	c.TLS = startTLS
	p := mustNew(t, c, provider.Deps{})
	_, err := p.Send(t.Context(), providertest.Message("email", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, "does not offer STARTTLS") {
		t.Errorf("got %v, want class bad_request", err)
	}
	if s.times("AUTH") != 0 || s.times("MAIL") != 0 {
		t.Errorf("the relay heard %q", s.lines())
	}
}

func TestSTARTTLSThatFailsIsTemporary(t *testing.T) {
	for _, reply := range []string{"454 4.7.0 not now", "502 5.5.1 not at all", drop, "220 go\r\nand now for something else"} {
		s := (&script{says: map[string]string{"EHLO": "250-relay.test\r\n250 STARTTLS", "STARTTLS": reply}}).start(t)
		c := s.config()
		c.TLS = startTLS
		p := mustNew(t, c, provider.Deps{})
		_, err := p.Send(t.Context(), providertest.Message("email", 1))
		if e := provider.AsError(err); err == nil || e.Class != provider.Temporary {
			t.Errorf("STARTTLS %q: got %v, want class temporary", reply, err)
		}
		if s.times("AUTH") != 0 || s.times("MAIL") != 0 {
			t.Errorf("STARTTLS %q: the relay heard %q", reply, s.lines())
		}
	}
}

func TestTheWrongKindOfTLSIsTemporary(t *testing.T) {
	s := (&script{}).start(t)
	c := s.config()
	c.TLS = implicitTLS
	p := mustNew(t, c, provider.Deps{})
	_, err := p.Send(t.Context(), providertest.Message("email", 1))
	if e := provider.AsError(err); err == nil || e.Class != provider.Temporary || !strings.Contains(e.Detail, "TLS") {
		t.Errorf("got %v, want class temporary and the reason", err)
	}
}

func TestEveryMechanismLogsIn(t *testing.T) {
	a := newAuthority(t)
	certificate := a.issue(time.Now().Add(time.Hour), "127.0.0.1")
	for _, c := range []struct {
		auth, password string
		offered        []string
		noTLS          bool
		detail         string // of the failure
	}{
		{auth: "plain"},
		{auth: "login"},
		{auth: "xoauth2"},
		{auth: "plain", noTLS: true},
		{auth: "login", noTLS: true},
		{auth: "plain", password: "wrong-wrong", detail: "AUTH"},
		{auth: "login", password: "wrong-wrong", detail: "AUTH"},
		{auth: "xoauth2", password: "wrong-wrong", detail: "AUTH"},
		{auth: "plain", offered: []string{"LOGIN"}, detail: "does not offer AUTH PLAIN"},
		{auth: "login", offered: []string{"PLAIN"}, detail: "does not offer AUTH LOGIN"},
		{auth: "plain", offered: []string{}, detail: "does not offer AUTH PLAIN"},
	} {
		r := newRelay(t, relayOptions{certificate: certificate, mechanisms: c.offered, noTLS: c.noTLS})
		config := r.config(a)
		config.Auth = c.auth
		if c.password != "" {
			config.Password = c.password
		}
		if c.noTLS {
			config.TLS = noTLS
		}
		p := mustNew(t, config, provider.Deps{})
		_, err := p.Send(t.Context(), providertest.Message("email", 1))
		if c.detail == "" {
			if err != nil {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if e := provider.AsError(err); err == nil || e.Class != provider.BadRequest || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("%+v: got %v, want class bad_request", c, err)
		}
	}
}

func TestARelayThatKnowsUsAsksForNoPassword(t *testing.T) {
	a := newAuthority(t)
	r := newRelay(t, relayOptions{certificate: a.issue(time.Now().Add(time.Hour), "127.0.0.1"), noAuth: true})
	c := r.config(a)
	c.Username, c.Password = "", ""
	p := mustNew(t, c, provider.Deps{})
	if _, err := p.Send(t.Context(), providertest.Message("email", 1)); err != nil {
		t.Error(err)
	}
}
