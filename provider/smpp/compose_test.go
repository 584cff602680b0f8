package smpp

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// composer is a provider that only composes, at a time when the code has ten minutes to live.
func composer(t testing.TB, c Config) *Provider {
	t.Helper()
	c.Host, c.SystemID = "smsc.test", testSystemID
	p, err := New(c, provider.Deps{Now: func() time.Time { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	p.reference.Store(0x29)
	return p
}

func message(text string) provider.Message {
	m := providertest.Message("sms", 0)
	m.To, m.Text, m.Deadline = "+34612345678", text, epoch.Add(10*time.Minute)
	return m
}

// The octets of a submit_sm that an independent implementation has read.
func TestTheOctetsOfAMessage(t *testing.T) {
	p := composer(t, Config{From: "Acme", Priority: 1})
	l, refused := p.compose(message("Your Acme code is 123456"))
	if refused != nil || len(l.parts) != 1 {
		t.Fatalf("got %+v, %v", l, refused)
	}
	got := hex.EncodeToString(pdu(smpp.PDU{Command: smpp.SubmitSM, Sequence: 2, Body: l.parts[0]}))
	const want = "00000058" + "00000004" + "00000000" + "00000002" + "00" + "0500" + "41636d6500" + "0101" + "333436313233343536373800" +
		"00" + "00" + "01" + "00" + "30303030303030303130303030303052" + "00" + "01" + "00" + "00" + "00" + "18" +
		"596f75722041636d6520636f646520697320313233343536"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSendersAndTheirTypes(t *testing.T) {
	seven := 7
	for _, c := range []struct {
		config Config
		from   string
		want   smpp.Address
		ok     bool
	}{
		{Config{}, "", smpp.Address{}, true},
		{Config{}, "Acme", smpp.Address{TON: 5, NPI: 0, Addr: "Acme"}, true},
		{Config{}, "Acme & Co.", smpp.Address{TON: 5, NPI: 0, Addr: "Acme & Co."}, true},
		{Config{}, "+34600100200", smpp.Address{TON: 1, NPI: 1, Addr: "34600100200"}, true},
		{Config{}, "12345", smpp.Address{TON: 3, NPI: 0, Addr: "12345"}, true},
		{Config{SourceTON: &seven}, "12345", smpp.Address{TON: 7, NPI: 0, Addr: "12345"}, true},
		{Config{SourceNPI: &seven}, "Acme", smpp.Address{TON: 5, NPI: 7, Addr: "Acme"}, true},
		{Config{From: "Other"}, "Acme", smpp.Address{TON: 5, NPI: 0, Addr: "Acme"}, true},
		{Config{From: "Other"}, "", smpp.Address{TON: 5, NPI: 0, Addr: "Other"}, true},
		{Config{}, "twelve chars", smpp.Address{}, false},
		{Config{}, "Müller", smpp.Address{}, false},
		{Config{}, "a@b", smpp.Address{}, false},
		{Config{}, "a\x00b", smpp.Address{}, false},
		{Config{}, "a\nb", smpp.Address{}, false},
		{Config{}, "+1234567890123456789012", smpp.Address{}, false},
	} {
		m := message("x")
		m.From = c.from
		l, refused := composer(t, c.config).compose(m)
		if !c.ok {
			if refused == nil || refused.Class != provider.BadRequest || strings.Contains(refused.Error(), "Müller") {
				t.Errorf("%q: got %v, want bad_request", c.from, refused)
			}
			continue
		}
		if refused != nil || l.parts[0].Source != c.want {
			t.Errorf("%q: got %+v, %v, want %+v", c.from, l.parts, refused, c.want)
		}
	}
}

func TestWhatNoCarrierCouldTake(t *testing.T) {
	for name, change := range map[string]func(*provider.Message){
		"no number":        func(m *provider.Message) { m.To = "" },
		"no plus":          func(m *provider.Message) { m.To = "34612345678" },
		"an address":       func(m *provider.Message) { m.To = "pat@example.com" },
		"a NUL":            func(m *provider.Message) { m.To = "+3461234567\x00" },
		"a line break":     func(m *provider.Message) { m.To = "+34612345678\n" },
		"no text":          func(m *provider.Message) { m.Text = "" },
		"a text too long":  func(m *provider.Message) { m.Text = strings.Repeat("x", 255*153+1) },
		"a very long text": func(m *provider.Message) { m.Text = strings.Repeat("验", 100_000) },
	} {
		m := message("x")
		change(&m)
		if l, refused := composer(t, Config{}).compose(m); refused == nil || refused.Class != provider.BadRequest {
			t.Errorf("%s: got %d parts, %v", name, len(l.parts), refused)
		}
	}
	if _, refused := composer(t, Config{Long: "payload"}).compose(message(strings.Repeat("验", 40_000))); refused == nil || refused.Class != provider.BadRequest {
		t.Errorf("a payload beyond a PDU: %v", refused)
	}
	m := message("x")
	m.Deadline = epoch
	if _, refused := composer(t, Config{}).compose(m); refused == nil || refused.Class != provider.Temporary {
		t.Errorf("a code whose life is over: %v", refused)
	}
}

func TestValidity(t *testing.T) {
	for _, c := range []struct {
		form string
		left time.Duration
		want string
	}{
		{"", 10 * time.Minute, "000000001000000R"},
		{"", 10*time.Minute + 999*time.Millisecond, "000000001000000R"},
		{"relative", 59 * time.Second, "000000000059000R"},
		{"relative", 3*time.Hour + 2*time.Minute + time.Second, "000000030201000R"},
		{"relative", 36 * time.Hour, "000001120000000R"},
		{"relative", 5 * 365 * 24 * time.Hour, "000002000000000R"},
		{"absolute", 10 * time.Minute, "310102031405000+"},
		{"none", 10 * time.Minute, ""},
	} {
		m := message("x")
		m.Deadline = epoch.Add(c.left)
		l, refused := composer(t, Config{Validity: c.form}).compose(m)
		if refused != nil || l.parts[0].ValidityPeriod != c.want {
			t.Errorf("%s %v: got %+v, %v, want %s", c.form, c.left, l.parts, refused, c.want)
		}
	}
	m := message("x")
	m.Deadline = time.Time{}
	if l, refused := composer(t, Config{}).compose(m); refused != nil || l.parts[0].ValidityPeriod != "" {
		t.Errorf("without a deadline: %+v, %v", l.parts, refused)
	}
}

func TestAlphabets(t *testing.T) {
	const conformance = "@£$¥èéùìòÇØøÅåΔ_Æß€[]{}~"
	for _, c := range []struct {
		name   string
		config Config
		text   string
		coding byte
		want   string
	}{
		{"the conformance message", Config{}, conformance, 0, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0b\x0c\x0e\x0f\x10\x11\x1c\x1e\x1b\x65\x1b\x3c\x1b\x3e\x1b\x28\x1b\x29\x1b\x3d"},
		{"a letter beyond", Config{}, "canción", 8, "\x00c\x00a\x00n\x00c\x00i\x00\xf3\x00n"},
		{"Chinese", Config{}, "验", 8, "\x9a\x8c"},
		{"beyond 16 bits", Config{}, "😀", 8, "\xd8\x3d\xde\x00"},
		{"Latin-1 as the default", Config{Alphabet: "latin1"}, "@_ñ", 0, "@_\xf1"},
		{"which lacks the euro", Config{Alphabet: "latin1"}, "5 €", 8, "\x005\x00 \x20\xac"},
		{"and GSM lacks ó", Config{Alphabet: "latin1"}, "ó", 8, "\x00\xf3"},
		{"ASCII as the default", Config{Alphabet: "ascii"}, "@_{}", 0, "@_{}"},
		{"which lacks ñ", Config{Alphabet: "ascii"}, "ñ", 8, "\x00\xf1"},
		{"Latin-1 beside GSM", Config{Latin1: true}, "canción", 3, "canci\xf3n"},
		{"if it is needed", Config{Latin1: true}, "@", 0, "\x00"},
		{"and if it is enough", Config{Latin1: true}, "5 € ó", 8, "\x005\x00 \x20\xac\x00 \x00\xf3"},
	} {
		l, refused := composer(t, c.config).compose(message(c.text))
		if refused != nil || len(l.parts) != 1 || l.parts[0].DataCoding != c.coding || string(l.parts[0].Text) != c.want {
			t.Errorf("%s: got %+v, %v, want %d %q", c.name, l.parts, refused, c.coding, c.want)
		}
	}
}

// Texts at the edges of their room, with a pair where the cut would fall.
var longTexts = map[string]struct {
	text  string
	parts int
}{
	"160 septets":                {strings.Repeat("x", 160), 1},
	"161 septets":                {strings.Repeat("x", 161), 2},
	"an escape at the edge":      {strings.Repeat("x", 152) + "€" + strings.Repeat("y", 100), 2},
	"306 septets":                {strings.Repeat("x", 306), 2},
	"307 septets":                {strings.Repeat("x", 307), 3},
	"70 units":                   {strings.Repeat("验", 70), 1},
	"71 units":                   {strings.Repeat("验", 71), 2},
	"a surrogate at the edge":    {strings.Repeat("验", 66) + "😀" + strings.Repeat("证", 30), 2},
	"an unusually long code":     {strings.Repeat("código ", 60), 7},
	"as many parts as there are": {strings.Repeat("x", 255*153), 255},
}

func TestLongTextsArriveWhole(t *testing.T) {
	for name, c := range longTexts {
		for _, long := range []string{"udh", "sar", "payload"} {
			inWorld(t, Config{Long: long}, smsc.Config{}, func(w *world) {
				w.run()
				m := text(1)
				m.Text = c.text
				s := w.send(m)
				synctest.Wait()
				got := w.far.Messages("")
				if s.err != nil || s.accepted.Parts != c.parts || len(got) != 1 || got[0].Text != c.text {
					w.Fatalf("%s by %s: %+v, %v, %d messages", name, long, s.accepted, s.err, len(got))
				}
				if last := got[0].IDs[len(got[0].IDs)-1]; s.accepted.ID != foldID(last) {
					w.Errorf("%s by %s: the id is %s, want that of the last part, %s", name, long, s.accepted.ID, last)
				}
				if r := w.reported(); len(r) != 1 || r[0].ID != s.accepted.ID {
					w.Errorf("%s by %s: reported %+v", name, long, r)
				}
				for _, p := range got[0].PDUs {
					if room := len(p.Text); room > 160 {
						w.Errorf("%s by %s: %d octets in a part", name, long, room)
					}
				}
				wantPDUs := c.parts
				if long == "payload" {
					wantPDUs = 1
				}
				if len(got[0].PDUs) != wantPDUs {
					w.Errorf("%s by %s: came in %d, want %d", name, long, len(got[0].PDUs), wantPDUs)
				}
			})
		}
	}
}

func TestTheHeaderOfAPart(t *testing.T) {
	l, refused := composer(t, Config{}).compose(message(strings.Repeat("x", 161)))
	if refused != nil || len(l.parts) != 2 {
		t.Fatalf("got %+v, %v", l, refused)
	}
	for i, p := range l.parts {
		header := []byte{5, 0, 3, 0x2A, 2, byte(i + 1)}
		if p.ESMClass != 0x40 || !bytes.HasPrefix(p.Text, header) || p.RegisteredDelivery != byte(i) {
			t.Errorf("part %d: esm_class %#x, registered_delivery %d, text %x", i+1, p.ESMClass, p.RegisteredDelivery, p.Text[:8])
		}
	}
	if next, _ := composer(t, Config{}).compose(message("x")); next.parts[0].ESMClass != 0 {
		t.Error("a text in one piece has a header")
	}
}

func TestLatin1IsCutWhereItsRoomEnds(t *testing.T) {
	for n, parts := range map[int]int{140: 1, 141: 2, 268: 2, 269: 3} {
		l, refused := composer(t, Config{Latin1: true}).compose(message(strings.Repeat("ó", n)))
		if refused != nil || len(l.parts) != parts || l.billed != parts || l.parts[0].DataCoding != 3 {
			t.Errorf("%d octets: %d parts, %v, want %d", n, len(l.parts), refused, parts)
		}
	}
	// A text of GSM 7 that goes as UCS-2, because the carrier's alphabet is a small one.
	for n, parts := range map[int]int{70: 1, 71: 2, 134: 2, 135: 3} {
		l, refused := composer(t, Config{Alphabet: "ascii"}).compose(message(strings.Repeat("ñ", n)))
		if refused != nil || len(l.parts) != parts || l.parts[0].DataCoding != 8 {
			t.Errorf("%d units: %d parts, %v, want %d", n, len(l.parts), refused, parts)
		}
	}
}

func TestParametersOfACountry(t *testing.T) {
	p := composer(t, Config{ServiceType: "OTP", TLVs: []TLV{
		{Tag: "0x1400", Value: "1101456780000012345"}, {Tag: "5121", Type: "string", Value: "1107"}, {Tag: "0x1402", Type: "hex", Value: "00ff"},
		{Tag: "0x1403", Type: "uint8", Value: "7"}, {Tag: "0x1404", Type: "uint16", Value: "0x102"}, {Tag: "0x1405", Type: "uint32", Value: "1"},
	}})
	for range 2 { // the second does not find what the first appended
		l, refused := p.compose(message(strings.Repeat("x", 400)))
		if refused != nil {
			t.Fatal(refused)
		}
		for _, part := range l.parts {
			got := hex.EncodeToString(pdu(smpp.PDU{Command: smpp.SubmitSM, Body: part}))
			const want = "1400" + "0014" + "3131303134353637383030303030313233343500" + "1401" + "0004" + "31313037" + "1402" + "0002" + "00ff" +
				"1403" + "0001" + "07" + "1404" + "0002" + "0102" + "1405" + "0004" + "00000001"
			if !strings.HasSuffix(got, want) || part.ServiceType != "OTP" {
				t.Errorf("got %s %s", part.ServiceType, got)
			}
		}
	}
}

// What a route says of a message goes before what goes with every message.
func TestWhatIndiasLedgerHas(t *testing.T) {
	p := composer(t, Config{TLVs: []TLV{{Tag: "0x1400", Value: "1"}, {Tag: "0x1402", Type: "hex", Value: "00ff"}}})
	for _, c := range []struct {
		told *provider.Regulatory
		want string
	}{
		{nil, "1400" + "0002" + "3100" + "1402" + "0002" + "00ff"},
		{&provider.Regulatory{DLTEntity: "1101"}, "1402" + "0002" + "00ff" + "1400" + "0005" + "3131303100"},
		{&provider.Regulatory{DLTEntity: "1101", DLTTemplate: "1107"}, "1402" + "0002" + "00ff" + "1400" + "0005" + "3131303100" + "1401" + "0005" + "3131303700"},
		{&provider.Regulatory{DLTTemplate: "1107"}, "1400" + "0002" + "3100" + "1402" + "0002" + "00ff" + "1401" + "0005" + "3131303700"},
		{nil, "1400" + "0002" + "3100" + "1402" + "0002" + "00ff"}, // none of them stays behind
	} {
		m := message("x")
		m.Regulatory = c.told
		l, refused := p.compose(m)
		if refused != nil {
			t.Fatal(refused)
		}
		if got := hex.EncodeToString(pdu(smpp.PDU{Command: smpp.SubmitSM, Body: l.parts[0]})); !strings.HasSuffix(got, c.want) {
			t.Errorf("%+v: got %s, want %s at its end", c.told, got, c.want)
		}
	}
}

func TestWithoutReceipts(t *testing.T) {
	no := false
	inWorld(t, Config{Receipts: &no}, smsc.Config{}, func(w *world) {
		w.run()
		w.mustSend(text(1))
		synctest.Wait()
		if c := w.far.Counts(); c.Receipts != 0 {
			w.Errorf("%+v", c)
		}
	})
}

// The parts before it are on their way, so nobody can say that nothing was sent.
func TestALaterPartThatFailsIsUnknown(t *testing.T) {
	for status, want := range map[smpp.Status]provider.Class{
		smpp.SystemError:        provider.Unknown,
		smpp.InvalidSource:      provider.Unknown,
		smpp.InvalidDestination: provider.BadRecipient,
		smpp.Throttled:          provider.Unknown,
		smpp.QueueFull:          provider.Unknown,
	} {
		parts := 0
		far := smsc.Config{Decide: func(*smpp.ShortMessage) smsc.Fate {
			if parts++; parts == 1 {
				return smsc.Fate{}
			}
			return smsc.Fate{Status: status}
		}}
		inWorld(t, Config{}, far, func(w *world) {
			w.run()
			m := text(1)
			m.Text = strings.Repeat("x", 400)
			s := w.mustFail(m, want)
			if !strings.HasPrefix(s.err.Detail, "part 2 of 3: ") || s.err.Code != status.Code() {
				w.Errorf("%v: got %v", status, s.err)
			}
			tries := 2
			if status == smpp.Throttled || status == smpp.QueueFull {
				tries = 1 + maxTries
			}
			if parts != tries {
				w.Errorf("%v: %d messages, want %d", status, parts, tries)
			}
		})
	}
}

func TestALaterPartThatIsThrottledWaits(t *testing.T) {
	parts := 0
	far := smsc.Config{Decide: func(*smpp.ShortMessage) smsc.Fate {
		if parts++; parts == 2 || parts == 3 {
			return smsc.Fate{Status: smpp.Throttled}
		}
		return smsc.Fate{}
	}}
	inWorld(t, Config{}, far, func(w *world) {
		w.run()
		m := text(1)
		m.Text = strings.Repeat("x", 200)
		if s := w.send(m); s.err != nil {
			w.Errorf("got %v", s.err)
		}
		if got := w.far.Messages(""); len(got) != 1 || got[0].Text != m.Text {
			w.Errorf("%d messages arrived", len(got))
		}
	})
}

func FuzzCompose(f *testing.F) {
	for _, c := range longTexts {
		f.Add(c.text, "Acme", "+34612345678", uint8(0))
	}
	f.Add("\xff\xfe", "+1", "+1", uint8(7))
	var all []*Provider
	for _, long := range []string{"udh", "sar", "payload"} {
		for _, alphabet := range []string{"gsm7", "latin1", "ascii"} {
			for _, latin1 := range []bool{false, true} {
				all = append(all, composer(f, Config{Long: long, Alphabet: alphabet, Latin1: latin1}))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text, from, to string, which uint8) {
		p := all[int(which)%len(all)]
		m := message(text)
		m.From, m.To = from, to
		l, refused := p.compose(m)
		if refused != nil {
			return
		}
		if l.billed < 1 || len(l.parts) < 1 || len(l.parts) > l.billed {
			t.Errorf("%d parts, %d billed", len(l.parts), l.billed)
		}
		for _, part := range l.parts {
			if len(part.Text) > 160 {
				t.Errorf("a part of %d octets", len(part.Text))
			}
			if _, err := (smpp.PDU{Command: smpp.SubmitSM, Body: part}).Append(nil); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
