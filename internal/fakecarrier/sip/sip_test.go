package sip_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"strings"
	"testing"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/sip"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/sip"
)

// world is a provider and its trunk.
type world struct {
	*testing.T
	desk     *desk.Desk
	server   *fake.Server
	provider *sip.Provider
	reports  chan provider.Report
}

func newWorld(t *testing.T, network string, change func(*sip.Config)) *world {
	t.Helper()
	w := &world{T: t, desk: &desk.Desk{Seed: 1}, reports: make(chan provider.Report, 10)}
	w.server = fake.New(w.desk, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	c := sip.Config{
		Transport: network, Domain: "trunk.example", Username: fake.Username, Password: fake.Password, From: "+34910000000",
		Listen: "127.0.0.1:0", RTPPorts: "30000-31999", MaxCalls: 20,
	}
	if network == "udp" {
		packets, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c.Server = packets.LocalAddr().String()
		go func() { served <- w.server.ServePackets(packets) }()
	} else {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c.Server = l.Addr().String()
		go func() { served <- w.server.Serve(l) }()
	}
	if change != nil {
		change(&c)
	}
	p, err := sip.New(c, provider.Deps{Report: func(_ context.Context, r provider.Report) error {
		w.reports <- r
		return nil
	}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.provider = p
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		w.server.Close()
		if err := <-served; err != nil {
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

// call is a message of which the provider has recordings, said once.
func call() provider.Message {
	m := providertest.Message("call", 1)
	m.Speech = &provider.Speech{Language: "en", Parts: []provider.SpeechPart{{Digits: m.Code}}, Repeat: 1}
	return m
}

// TestAPersonListensAndPressesAKey takes as long as a call takes: the provider speaks as fast as people listen.
func TestAPersonListensAndPressesAKey(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, network, func(c *sip.Config) { c.Register = network == "tcp" })
			m := call()
			m.Speech.PressKey = true
			m.Speech.PressKeyPrompt = "This is a call from Acme. To hear your verification code, press any key."
			accepted, err := w.provider.Send(t.Context(), m)
			for provider.AsError(err).Class == provider.Temporary && strings.Contains(err.Error(), "regist") {
				accepted, err = w.provider.Send(t.Context(), m) // it is about to
			}
			if err != nil {
				t.Fatal(err)
			}
			if r := <-w.reports; r.State != provider.Delivered || r.ID != accepted.ID {
				t.Errorf("reported %+v", r)
			}
			got := w.desk.Messages(t.Context(), desk.Query{})[0]
			if got.To != m.To || got.ID != accepted.ID || got.From != "+34910000000" || !strings.HasPrefix(got.Text, "listened for ") ||
				!strings.Contains(got.Text, " s, pressed 1") {
				t.Errorf("got %+v", got)
			}
			sound := w.server.Recording(got.ID)
			if len(sound) < 8000 || !bytes.HasPrefix(sound, []byte("RIFF")) || binary.LittleEndian.Uint16(sound[20:]) != 7 {
				t.Errorf("the recording has %d bytes", len(sound))
			}
		})
	}
}

func TestAnsweringMachinesAndTelephonesThatAreBusy(t *testing.T) {
	w := newWorld(t, "udp", nil)
	for knob, want := range map[string]provider.Report{
		`{"report":["failed"]}`:        {State: provider.Failed, Class: provider.Temporary, Code: "486/17"},
		`{"report":["bad_recipient"]}`: {State: provider.Failed, Class: provider.BadRecipient, Code: "404/1"},
	} {
		w.knobs(knob)
		accepted, err := w.provider.Send(t.Context(), call())
		if err != nil {
			// The last answer may come before Send has seen the telephone ring.
			if e := provider.AsError(err); e.Class != want.Class {
				t.Errorf("%s: %v", knob, err)
			}
			continue
		}
		if r := <-w.reports; r.State != want.State || r.Class != want.Class || r.ID != accepted.ID {
			t.Errorf("%s: reported %+v, want %+v", knob, r, want)
		}
	}
}

func TestRefusalsMeanTheirClass(t *testing.T) {
	w := newWorld(t, "tcp", nil)
	for answer, want := range map[string]provider.Class{
		"bad_recipient": provider.BadRecipient, "bad_request": provider.BadRequest, "temporary": provider.Temporary,
		"throttled": provider.Throttled, "dropped": provider.Unknown,
	} {
		w.knobs(`{"answer":"` + answer + `"}`)
		_, err := w.provider.Send(t.Context(), call())
		if err == nil || provider.AsError(err).Class != want {
			t.Errorf("%s: %v, want class %v", answer, err, want)
		}
	}
}

func TestAWrongPasswordIsRefused(t *testing.T) {
	w := newWorld(t, "udp", func(c *sip.Config) { c.Password = "another" })
	_, err := w.provider.Send(t.Context(), call())
	if err == nil || provider.AsError(err).Class != provider.BadRequest {
		t.Errorf("%v, want class bad_request", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := w.desk.Messages(ctx, desk.Query{All: true}); len(got) != 0 {
		t.Errorf("it was taken: %+v", got)
	}
}

func TestACallThatIsGivenUpRingsNoMore(t *testing.T) {
	w := newWorld(t, "tcp", nil)
	w.knobs(`{"report":[]}`)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := w.provider.Send(ctx, call()); err != nil {
		t.Fatal(err)
	}
	cancel()
	w.server.Cut()
	if r := <-w.reports; r.State != provider.Failed {
		t.Errorf("reported %+v", r)
	}
	if got := w.desk.Messages(t.Context(), desk.Query{All: true})[0]; got.Arrived || got.Text != "nobody answered" {
		t.Errorf("got %+v", got)
	}
}
