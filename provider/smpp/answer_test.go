package smpp

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

func TestEveryStatusHasItsClass(t *testing.T) {
	for status, want := range map[smpp.Status]provider.Class{
		0x01: provider.BadRequest, 0x02: provider.BadRequest, 0x03: provider.BadRequest, 0x04: provider.Temporary,
		0x06: provider.BadRequest, 0x07: provider.BadRequest, 0x08: provider.Temporary, 0x0A: provider.BadRequest,
		0x0B: provider.BadRecipient, 0x14: provider.Throttled, 0x15: provider.BadRequest, 0x33: provider.BadRequest,
		0x40: provider.BadRequest, 0x45: provider.Temporary, 0x48: provider.BadRequest, 0x51: provider.BadRequest,
		0x58: provider.Throttled, 0x61: provider.BadRequest, 0x62: provider.BadRequest, 0x64: provider.Temporary,
		0x65: provider.BadRequest, 0x66: provider.BadRequest, 0x67: provider.BadRequest, 0xC0: provider.BadRequest,
		0xC4: provider.BadRequest, 0xFE: provider.Temporary, 0xFF: provider.Temporary, 0x100: provider.BadRequest,
		0x112: provider.BadRequest, 0x400: provider.BadRequest, 0x410: provider.Throttled, 0x411: provider.Unknown,
		0xFFFFFFFF: provider.BadRequest,
	} {
		c := Config{Status: map[string]string{"0x410": "throttled", "1041": "unknown"}}
		inWorld(t, c, smsc.Config{}, func(w *world) {
			w.far.Set("", smsc.Fate{Status: status, Words: "no " + text(1).Code + " from " + testPassword})
			w.run()
			s := w.mustFail(text(1), want)
			if s.err.Code != status.Code() || !strings.HasSuffix(s.err.Detail, "no [code] from [secret]") {
				w.Errorf("%v: got %q, %q", status, s.err.Code, s.err.Detail)
			}
			if (s.err.RetryAfter > 0) != (want == provider.Throttled) {
				w.Errorf("%v: RetryAfter is %v", status, s.err.RetryAfter)
			}
			w.far.Unset("")
			synctest.Wait()
			time.Sleep(throttlePause)
			w.mustSend(text(2))
			wantDials := 1
			if status == 0x02 || status == 0x03 || status == 0x04 {
				wantDials = 2
			}
			if n := w.dials(); n != wantDials {
				w.Errorf("%v: bound %d times, want %d", status, n, wantDials)
			}
		})
	}
}

func TestGenericNacks(t *testing.T) {
	for status, want := range map[smpp.Status]provider.Class{
		smpp.InvalidCommandID: provider.BadRequest, smpp.SystemError: provider.BadRequest,
		smpp.Throttled: provider.Throttled, smpp.QueueFull: provider.Throttled,
	} {
		inWorld(t, Config{}, smsc.Config{}, func(w *world) {
			w.far.Set("", smsc.Fate{Nack: true, Status: status})
			w.run()
			w.mustFail(text(1), want)
		})
	}
}

func TestANackOfNothingEndsTheConnection(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.raw = func(c net.Conn) {
			w.setAway(true)
			in := bindFar(c)
			in.Read()
			c.Write(pdu(smpp.PDU{Command: smpp.GenericNack, Status: smpp.InvalidCommandLength}))
			in.Read()
			c.Close()
		}
		w.run()
		w.mustFail(text(1), provider.Unknown)
	})
}

func TestWhatWeCannotReadIsAnswered(t *testing.T) {
	asked := []struct {
		octets  string
		command smpp.Command
		status  smpp.Status
	}{
		{"\x00\x00\x00\x10\x00\x00\x00\x99\x00\x00\x00\x00\x00\x00\x00\x21", smpp.GenericNack, smpp.InvalidCommandID},
		{"\x00\x00\x00\x11\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x22\x41", smpp.GenericNack, smpp.InvalidCommandLength},
		{string(pdu(smpp.PDU{Command: smpp.SubmitSM, Sequence: 0x23, Body: &smpp.ShortMessage{}})), smpp.GenericNack, smpp.InvalidCommandID},
		{string(pdu(smpp.PDU{Command: smpp.EnquireLink, Sequence: 0x24})), smpp.EnquireLinkResp, smpp.OK},
	}
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		answers := make(chan smpp.PDU, 10)
		w.raw = func(c net.Conn) {
			w.setAway(true)
			in := bindFar(c)
			// None of these is answered.
			c.Write([]byte("\x00\x00\x00\x10\x80\x00\x00\x99\x00\x00\x00\x00\x00\x00\x00\x20"))         // an answer that we do not know
			c.Write([]byte("\x00\x00\x00\x11\x80\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x20\x41"))     // one that is broken
			c.Write([]byte("\x00\x00\x00\x12\x00\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00")) // outbind
			c.Write([]byte("\x00\x00\x00\x10\x00\x00\x01\x02\x00\x00\x00\x00\x00\x00\x00\x20"))         // alert_notification
			for _, a := range asked {
				c.Write([]byte(a.octets))
				p, err := in.Read()
				if err != nil {
					w.Error(err)
				}
				answers <- p
			}
			c.Write([]byte("\x00\x00\x00\x0f")) // no length of a PDU
			if _, err := in.Read(); err == nil {
				w.Error("the connection goes on after a length that cannot be")
			}
			c.Close()
		}
		w.run()
		for i, a := range asked {
			p := <-answers
			if p.Command != a.command || p.Status != a.status || p.Sequence != 0x21+uint32(i) {
				w.Errorf("%x was answered with %+v", a.octets, p)
			}
		}
	})
}

// A carrier that accepts with a body that cannot be read has accepted.
func TestABrokenAcceptanceIsOne(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.raw = func(c net.Conn) {
			w.setAway(true)
			in := bindFar(c)
			for {
				p, err := in.Read()
				if err != nil {
					c.Close()
					return
				}
				answer := pdu(p.Response(smpp.OK, emptyAnswer(p)))
				if p.Command == smpp.SubmitSM { // an id without its end
					answer[3], answer = 0x13, append(answer[:16], "abc"...)
				}
				c.Write(answer)
			}
		}
		w.run()
		if id := w.mustSend(text(1)); id != "" {
			w.Errorf("the id is %q", id)
		}
	})
}

// emptyAnswer is the empty body of an answer to p.
func emptyAnswer(p smpp.PDU) smpp.Body {
	if p.Command == smpp.SubmitSM {
		return &smpp.MessageResp{}
	}
	return nil
}
