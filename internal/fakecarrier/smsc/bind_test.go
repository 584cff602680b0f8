package smsc

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

func TestWhoMayBind(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  Config
		command smpp.Command
		bind    smpp.Bind
		want    smpp.Status
	}{
		{"transceiver", Config{}, smpp.BindTransceiver, smpp.Bind{SystemID: "acme", Password: "secret"}, smpp.OK},
		{"transmitter", Config{}, smpp.BindTransmitter, smpp.Bind{SystemID: "acme", Password: "secret"}, smpp.OK},
		{"receiver", Config{}, smpp.BindReceiver, smpp.Bind{SystemID: "acme", Password: "secret"}, smpp.OK},
		{"nobody", Config{}, smpp.BindReceiver, smpp.Bind{}, smpp.InvalidSystemID},
		{"somebody else", Config{}, smpp.BindReceiver, smpp.Bind{SystemID: "eve", Password: "secret"}, smpp.InvalidSystemID},
		{"a wrong password", Config{}, smpp.BindReceiver, smpp.Bind{SystemID: "acme", Password: "Secret"}, smpp.InvalidPassword},
		{"an older kind", Config{NoTransceiver: true}, smpp.BindTransceiver, smpp.Bind{SystemID: "acme", Password: "secret"}, smpp.InvalidCommandID},
	} {
		synctest.Test(t, func(t *testing.T) {
			c.config.Accounts = accounts()
			s := New(c.config)
			defer s.Close()
			k := dial(t, s)
			if got := k.ask(c.command, &c.bind); got.Status != c.want || got.Command != c.command|smpp.ResponseBit {
				t.Errorf("%s: got %+v, want %v", c.name, got, c.want)
			}
			if c.want != smpp.OK {
				k.mustEnd()
			} else if got := k.ask(c.command, &c.bind); got.Status != smpp.AlreadyBound {
				t.Errorf("%s: the second bind: %+v", c.name, got)
			}
			k.conn.Close()
		})
	}
}

func TestBindsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts(), Binds: 2})
		defer s.Close()
		first := dial(t, s)
		first.bind(smpp.BindTransceiver)
		dial(t, s).bind(smpp.BindTransceiver)
		third := dial(t, s)
		if got := third.bind(smpp.BindTransceiver); got != smpp.AlreadyBound {
			t.Errorf("the third: %v", got)
		}
		third.mustEnd()
		if got := first.ask(smpp.Unbind, nil); got.Command != smpp.UnbindResp {
			t.Errorf("unbind: %+v", got)
		}
		first.mustEnd()
		synctest.Wait()
		if got := dial(t, s).bind(smpp.BindTransceiver); got != smpp.OK {
			t.Errorf("after one has gone: %v", got)
		}
		if c := s.Counts(); c.Binds != 3 || c.BindsRefused != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestWhoDoesNotBindIsShownOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts()})
		defer s.Close()
		k := dial(t, s)
		k.ask(smpp.EnquireLink, nil) // anybody may
		if got := k.ask(smpp.SubmitSM, short("00")); got.Status != smpp.InvalidBindStatus {
			t.Errorf("a message before the bind: %+v", got)
		}
		start := time.Now()
		k.mustEnd()
		if d := time.Since(start); d != bindTimeout {
			t.Errorf("after %v, want %v", d, bindTimeout)
		}
	})
}

func TestMuteAndUnbindAndCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts(), EnquireLink: time.Second})
		defer s.Close()
		k := dial(t, s)
		k.bind(smpp.BindTransceiver)
		if p := k.read(); p.Command != smpp.EnquireLink {
			t.Errorf("after a second: %+v", p)
		}
		s.Mute(true)
		k.request(smpp.EnquireLink, nil)
		s.Mute(false)

		left := make(chan struct{})
		go func() {
			defer close(left)
			s.Unbind(t.Context())
		}()
		p := k.read()
		if p.Command != smpp.Unbind {
			t.Errorf("got %+v, want unbind and no answer to what came while mute", p)
		}
		select {
		case <-left:
			t.Error("did not wait for the answer")
		default:
		}
		k.write(p.Response(smpp.OK, nil))
		<-left
		k.mustEnd()

		k = dial(t, s)
		k.bind(smpp.BindTransceiver)
		s.Cut()
		k.mustEnd()

		rude := dial(t, s)
		rude.bind(smpp.BindTransceiver)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			for {
				if _, err := rude.in.Read(); err != nil {
					return
				}
			}
		}()
		s.Leave(ctx) // does not wait for ever
		synctest.Wait()
	})
}
