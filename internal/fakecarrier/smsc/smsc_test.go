package smsc

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

func TestAReceiverSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts()})
		defer s.Close()
		k := dial(t, s)
		k.bind(smpp.BindReceiver)
		if got := k.ask(smpp.SubmitSM, short("00")); got.Status != smpp.InvalidBindStatus {
			t.Errorf("got %+v", got)
		}
		if got := k.ask(smpp.DataSM, &smpp.Data{}); got.Command != smpp.GenericNack || got.Status != smpp.InvalidCommandID {
			t.Errorf("data_sm: %+v", got)
		}
		if _, err := k.conn.Write([]byte("\x00\x00\x00\x11\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x09\x41")); err != nil {
			t.Fatal(err)
		}
		if got := k.read(); got.Command != smpp.GenericNack || got.Status != smpp.InvalidCommandLength || got.Sequence != 9 {
			t.Errorf("a broken one: %+v", got)
		}
		k.conn.Close()
	})
}

func TestWhatACarrierRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*smpp.ShortMessage)
		want   smpp.Status
	}{
		"nothing":              {func(m *smpp.ShortMessage) {}, smpp.OK},
		"no destination":       {func(m *smpp.ShortMessage) { m.Destination.Addr = "" }, smpp.InvalidDestination},
		"a plus":               {func(m *smpp.ShortMessage) { m.Destination.Addr = "+34612345600" }, smpp.InvalidDestination},
		"a leading zero":       {func(m *smpp.ShortMessage) { m.Destination.Addr = "0034612345600" }, smpp.InvalidDestination},
		"a long name":          {func(m *smpp.ShortMessage) { m.Source = smpp.Address{TON: 5, Addr: "twelve chars"} }, smpp.InvalidSource},
		"no text":              {func(m *smpp.ShortMessage) { m.Text = nil }, 0x01},
		"a header alone":       {func(m *smpp.ShortMessage) { m.ESMClass, m.Text = 0x40, smpp.Part{Ref: 1, Total: 2, Number: 1}.Header() }, 0x01},
		"a bit and no header":  {func(m *smpp.ShortMessage) { m.ESMClass = 0x40 }, 0x43},
		"an odd validity":      {func(m *smpp.ShortMessage) { m.ValidityPeriod = "600" }, 0x62},
		"a relative validity":  {func(m *smpp.ShortMessage) { m.ValidityPeriod = "000000001000000R" }, smpp.OK},
		"an absolute validity": {func(m *smpp.ShortMessage) { m.ValidityPeriod = "310102031405000+" }, smpp.OK},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{Accounts: accounts()})
			defer s.Close()
			k := dial(t, s)
			k.bind(smpp.BindTransmitter)
			m := short("00")
			c.change(m)
			if got := k.ask(smpp.SubmitSM, m); got.Status != c.want {
				t.Errorf("%s: got %v, want %v", name, got.Status, c.want)
			}
			k.conn.Close()
		})
	}
}

func TestTheFatesOfNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts()})
		defer s.Close()
		k := dial(t, s)
		k.bind(smpp.BindTransceiver)

		for suffix, want := range map[string]smpp.Status{"11": smpp.InvalidDestination, "58": smpp.Throttled} {
			if got := k.ask(smpp.SubmitSM, short(suffix)); got.Status != want {
				t.Errorf("…%s: %+v", suffix, got)
			}
		}
		receipt := func(want string) {
			t.Helper()
			p := k.read()
			m, ok := p.Body.(*smpp.ShortMessage)
			if !ok || p.Command != smpp.DeliverSM || m.ESMClass != smpp.ESMReceipt || !strings.Contains(string(m.Text), want) {
				t.Errorf("got %+v %+v, want a receipt with %s", p, p.Body, want)
			}
			k.write(p.Response(smpp.OK, &smpp.MessageResp{}))
		}
		id := k.ask(smpp.SubmitSM, short("00")).Body.(*smpp.MessageResp).MessageID
		receipt("id:" + id + " sub:001 dlvrd:001")
		k.ask(smpp.SubmitSM, short("22"))
		receipt("stat:UNDELIV err:001")
		k.ask(smpp.SubmitSM, short("55"))
		receipt("stat:DELIVRD")
		receipt("stat:DELIVRD")
		start := time.Now()
		k.ask(smpp.SubmitSM, short("77"))
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("…77 took %v", d)
		}
		receipt("stat:DELIVRD")
		k.ask(smpp.SubmitSM, short("99"))

		k.request(smpp.SubmitSM, short("33"))
		receipt("stat:DELIVRD")
		if p := k.read(); p.Command != smpp.SubmitSMResp || p.Sequence != k.next {
			t.Errorf("…33: %+v after the receipt", p)
		}
		k.request(smpp.SubmitSM, short("44"))
		if p := k.ask(smpp.EnquireLink, nil); p.Command != smpp.EnquireLinkResp {
			t.Errorf("…44 was answered with %+v", p)
		}
		synctest.Wait()
		want := Counts{Binds: 1, Submitted: 9, Accepted: 6, Refused: 2, Receipts: 6, ReceiptsTaken: 6, MaxUnanswered: 1}
		if got := s.Counts(); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		k.conn.Close()
	})
}

func TestTheLongestSuffixCounts(t *testing.T) {
	s := New(Config{Decide: func(*smpp.ShortMessage) Fate { return Fate{Err: "decided"} }})
	s.Set("5", Fate{Err: "5"})
	s.Set("0005", Fate{Err: "0005"})
	for to, want := range map[string]string{"34600000005": "0005", "34600000015": "5", "34600000011": "", "34600000000": "decided"} {
		if got := s.fateOf(&smpp.ShortMessage{Destination: smpp.Address{Addr: to}}); got.Err != want {
			t.Errorf("%s: got %+v, want %s", to, got, want)
		}
	}
	s.Set("", Fate{Err: "all"})
	s.Unset("5")
	for to, want := range map[string]string{"34600000005": "0005", "34600000015": "all", "34600000000": "all"} {
		if got := s.fateOf(&smpp.ShortMessage{Destination: smpp.Address{Addr: to}}); got.Err != want {
			t.Errorf("%s: got %+v, want %s", to, got, want)
		}
	}
}

func TestAShareOfTheMessages(t *testing.T) {
	f := Fate{Share: 0.25, Lost: true}
	met := 0
	for range 10_000 {
		if f.meets().Lost {
			met++
		}
	}
	if met < 2000 || met > 3000 {
		t.Errorf("%d of 10,000 met a fate of a quarter", met)
	}
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts(), TPS: 3})
		defer s.Close()
		k := dial(t, s)
		k.bind(smpp.BindTransmitter)
		for range 2 {
			for n := range 5 {
				got := k.ask(smpp.SubmitSM, short("00")).Status
				if want := map[bool]smpp.Status{true: smpp.OK, false: smpp.Throttled}[n < 3]; got != want {
					t.Errorf("message %d of a second: %v, want %v", n+1, got, want)
				}
			}
			time.Sleep(time.Second)
		}
		k.conn.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts(), Window: 2, Fates: map[string]Fate{"": {Delay: time.Second}}})
		defer s.Close()
		k := dial(t, s)
		k.bind(smpp.BindTransmitter)
		for range 3 {
			k.request(smpp.SubmitSM, short("00"))
		}
		if p := k.read(); p.Status != smpp.QueueFull || p.Sequence != k.next {
			t.Errorf("got %+v first, want the third refused", p)
		}
		k.read()
		k.read()
		if got := k.ask(smpp.SubmitSM, short("00")).Status; got != smpp.OK {
			t.Errorf("with room again: %v", got)
		}
		k.conn.Close()
	})
}

func TestTextsArePutTogether(t *testing.T) {
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	part := func(ref uint16, total, number byte, text string) smpp.PDU {
		p := smpp.Part{Ref: ref, Total: total, Number: number}
		return smpp.PDU{Command: smpp.SubmitSM, Sequence: 1, Body: &smpp.ShortMessage{
			Destination: smpp.Address{Addr: "34600000000"}, ESMClass: 0x40, Text: append(p.Header(), text...),
		}}
	}
	in := newInbox(10)
	for i, p := range []smpp.PDU{
		part(1, 3, 2, "b"), part(2, 2, 1, "x"), part(1, 3, 3, "c"), part(1, 3, 3, "C"), part(2, 2, 2, "y"), part(1, 3, 1, "a"), part(1, 3, 1, "again"),
	} {
		in.add("acme", fmt.Sprint(i), p, at)
	}
	got := in.find("")
	if len(got) != 2 || got[0].Text != "xy" || got[1].Text != "abC" || fmt.Sprint(got[1].IDs) != "[5 0 3]" || len(got[1].Octets) != 3 {
		t.Errorf("got %+v", got)
	}
	for n := range 100 {
		in.add("acme", "", part(uint16(n), 2, 1, "half"), at)
	}
	if len(in.partial) > 10 {
		t.Errorf("%d halves are kept, want 10", len(in.partial))
	}
	for range 100 {
		in.add("acme", "", smpp.PDU{Command: smpp.SubmitSM, Body: &smpp.ShortMessage{Text: []byte("x")}}, at)
	}
	if n := len(in.find("")); n > 10 {
		t.Errorf("%d messages are kept, want 10", n)
	}
}

func TestCodings(t *testing.T) {
	for _, c := range []struct {
		coding byte
		octets string
		want   string
	}{
		{0, "\x00\x1b\x65", "@€"}, {1, "@", "@"}, {3, "caf\xe9", "café"},
		{8, "\x9a\x8c\xd8\x3d\xde\x00", "验😀"}, {8, "\x00a\x00", "a"}, {4, "\xff", "ÿ"},
	} {
		if got := decode(c.coding, []byte(c.octets)); got != c.want {
			t.Errorf("%d %x: got %q, want %q", c.coding, c.octets, got, c.want)
		}
	}
}

func FuzzServe(f *testing.F) {
	bind, _ := smpp.PDU{Command: smpp.BindTransceiver, Sequence: 1, Body: &smpp.Bind{SystemID: "acme", Password: "secret"}}.Append(nil)
	submit, _ := smpp.PDU{Command: smpp.SubmitSM, Sequence: 2, Body: short("00")}.Append(nil)
	f.Add(append(append([]byte(nil), bind...), submit...))
	f.Add(submit)
	f.Fuzz(func(t *testing.T, stream []byte) {
		s := New(Config{Accounts: accounts(), Fates: map[string]Fate{}})
		near, far := net.Pipe()
		served := make(chan struct{})
		go func() { defer close(served); s.ServeConn(far) }()
		go io.Copy(io.Discard, near)
		near.Write(append(append([]byte(nil), bind...), stream...))
		near.Close()
		<-served
		s.Close()
	})
}
