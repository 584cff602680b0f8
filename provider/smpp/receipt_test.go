package smpp

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

func TestReceiptsOfEveryForm(t *testing.T) {
	for form := smsc.FormText; form <= smsc.FormData; form++ {
		for _, c := range []struct {
			state, err string
			want       provider.Report // State 0: nothing is reported
		}{
			{"DELIVRD", "000", provider.Report{State: provider.Delivered}},
			{"DELIVERED", "", provider.Report{State: provider.Delivered}},
			{"UNDELIV", "001", provider.Report{State: provider.Failed, Class: provider.BadRecipient, Code: "001"}},
			{"UNDELIV", "027", provider.Report{State: provider.Failed, Class: provider.Temporary, Code: "027"}},
			{"EXPIRED", "", provider.Report{State: provider.Failed, Class: provider.Temporary}},
			{"REJECTD", "000", provider.Report{State: provider.Failed, Class: provider.BadRequest}},
			{"DELETED", "", provider.Report{State: provider.Failed, Class: provider.Temporary}},
			{"ACCEPTD", "", provider.Report{}},
			{"ENROUTE", "", provider.Report{}},
			{"UNKNOWN", "", provider.Report{}},
			{"BUFFRED", "", provider.Report{}},
		} {
			inWorld(t, Config{}, smsc.Config{}, func(w *world) {
				w.far.Set("", smsc.Fate{Form: form, State: c.state, Err: c.err})
				w.run()
				id := w.mustSend(text(1))
				synctest.Wait()
				got := w.reported()
				if c.want.State == 0 {
					if len(got) != 0 {
						w.Errorf("form %d, %s %s: got %+v, want nothing", form, c.state, c.err, got)
					}
				} else if len(got) != 1 || got[0].ID != id || got[0].State != c.want.State || got[0].Class != c.want.Class ||
					!got[0].At.IsZero() || c.want.Code != "" && !strings.HasSuffix(got[0].Code, strings.TrimLeft(c.want.Code, "0")) ||
					(got[0].Code != "") != (c.want.State == provider.Failed) {
					w.Errorf("form %d, %s %s: got %+v for %s", form, c.state, c.err, got, id)
				}
				if n := w.far.Counts(); n.Receipts != 1 || n.ReceiptsTaken != 1 {
					w.Errorf("form %d, %s: %+v, want one receipt, and that answered", form, c.state, n)
				}
			})
		}
	}
}

// The carrier answers a message after we have answered its receipt, and we do that after the report
// was recorded.
func TestAReceiptBeforeTheAnswer(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{ReceiptFirst: true})
		recording, recorded := make(chan provider.Report), make(chan struct{})
		w.record = func(r provider.Report) error {
			recording <- r
			<-recorded
			return nil
		}
		w.run()
		done := w.begin(w.Context(), text(1))
		r := <-recording
		synctest.Wait()
		select {
		case s := <-done:
			w.Errorf("Send returned before the report was recorded: %+v", s)
		default:
		}
		if n := w.far.Counts().ReceiptsTaken; n != 0 {
			w.Error("the receipt was answered before it was recorded")
		}
		close(recorded)
		if s := <-done; s.err != nil || s.accepted.ID != r.ID {
			w.Errorf("got %+v, the report was of %s", s, r.ID)
		}
	})
}

func TestReceiptsThatComeLateAndTwice(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.far.Set("", smsc.Fate{ReceiptDelay: 24 * time.Hour, Copies: 2})
		w.run()
		id := w.mustSend(text(1))
		time.Sleep(12 * time.Hour)
		w.far.Cut() // and the connection is another one by then
		time.Sleep(13 * time.Hour)
		synctest.Wait()
		got := w.reported()
		if len(got) != 2 || got[0].ID != id || got[1].ID != id {
			w.Errorf("got %+v, want two of %s", got, id)
		}
	})
}

func TestAReceiptThatCannotBeRecordedComesAgain(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		tries := 0
		w.record = func(provider.Report) error {
			if tries++; tries < 3 {
				return errors.New("the disk is full")
			}
			return nil
		}
		w.run()
		w.mustSend(text(1))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := w.far.Counts(); n.Receipts != 3 || n.ReceiptsTaken != 1 || len(w.reported()) != 1 {
			w.Errorf("got %+v and %d reports", n, len(w.reported()))
		}
	})
}

// While the store hangs, messages and enquire_link are answered as ever.
func TestAHangingStoreStopsNothingElse(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{EnquireLink: time.Second}, func(w *world) {
		hang := make(chan struct{})
		w.record = func(provider.Report) error { <-hang; return nil }
		w.run()
		for n := range maxRecorders + 20 {
			w.mustSend(text(n))
		}
		time.Sleep(time.Minute)
		if n := w.dials(); n != 1 {
			w.Errorf("bound %d times, want 1", n)
		}
		close(hang)
		synctest.Wait()
		if n := len(w.reported()); n != maxRecorders+20 {
			w.Errorf("%d reports, want %d", n, maxRecorders+20)
		}
	})
}

func TestMoreReceiptsThanCanWaitAreRefused(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		hang := make(chan struct{})
		w.record = func(provider.Report) error { <-hang; return nil }
		w.p.receipts = make(chan received, 1)
		w.run()
		const n = maxRecorders + 1 + 5
		for i := range n {
			w.mustSend(text(i))
		}
		synctest.Wait()
		close(hang)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if c := w.far.Counts(); len(w.reported()) != n || c.ReceiptsTaken != n || c.Receipts <= n {
			w.Errorf("%d reports of %d, %+v", len(w.reported()), n, c)
		}
	})
}

func TestWhatIsNoReceiptIsAnsweredAndDropped(t *testing.T) {
	const forged = "id:1 stat:DELIVRD err:000"
	for name, body := range map[string]smpp.Body{
		"a person's words":        &smpp.ShortMessage{Text: []byte("STOP")},
		"a person who forges one": &smpp.ShortMessage{Text: []byte(forged)},
		"a user's receipt":        &smpp.ShortMessage{ESMClass: 0x08, Text: []byte(forged)},
		"another one":             &smpp.ShortMessage{ESMClass: 0x10, Text: []byte(forged)},
		"an intermediate one":     &smpp.ShortMessage{ESMClass: 0x20, Text: []byte(forged)},
		"a receipt of nothing":    &smpp.ShortMessage{ESMClass: 0x04},
		"one without a name":      &smpp.ShortMessage{ESMClass: 0x04, Text: []byte("stat:DELIVRD")},
		"one without a state":     &smpp.ShortMessage{ESMClass: 0x04, Text: []byte("id:1")},
		"data without anything":   &smpp.Data{},
	} {
		inWorld(t, Config{}, smsc.Config{}, func(w *world) {
			w.run()
			command := smpp.DeliverSM
			if _, ok := body.(*smpp.Data); ok {
				command = smpp.DataSM
			}
			w.far.Send(testSystemID, smpp.PDU{Command: command, Body: body})
			synctest.Wait()
			if c := w.far.Counts(); c.ReceiptsTaken != 1 || len(w.reported()) != 0 {
				w.Errorf("%s: %+v, %+v", name, c, w.reported())
			}
		})
	}
}

func TestACarrierThatForgetsTheBitsNamesTheMessage(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		w.run()
		w.far.Send(testSystemID, smpp.PDU{Command: smpp.DeliverSM, Body: &smpp.ShortMessage{TLVs: smpp.TLVs{
			{Tag: smpp.TagReceiptedMessageID, Value: []byte("00AB\x00")}, {Tag: smpp.TagMessageState, Value: []byte{2}},
		}}})
		synctest.Wait()
		if got := w.reported(); len(got) != 1 || got[0].ID != "ab" || got[0].State != provider.Delivered {
			w.Errorf("got %+v", got)
		}
	})
}

func TestTextsOfReceipts(t *testing.T) {
	for _, c := range []struct{ text, id, stat, err, done string }{
		{"id:0123 sub:001 dlvrd:001 submit date:2401021504 done date:2401021505 stat:DELIVRD err:000 text:hello", "0123", "DELIVRD", "000", "2401021505"},
		{"ID:0123 STAT:DELIVRD ERR:000 DONE DATE:240102150433 TEXT:", "0123", "DELIVRD", "000", "240102150433"},
		{"stat:UNDELIV err:1b done date:2401021505 id:a-b-c", "a-b-c", "UNDELIV", "1b", "2401021505"},
		{"id: 0123 stat: DELIVRD err: 0", "0123", "DELIVRD", "0", ""},
		{"id:0123,stat:DELIVRD,err:000,done_date:2401021505", "0123", "DELIVRD", "000", "2401021505"},
		{"id:1 stat:DELIVRD text:id:2 stat:EXPIRED err:001", "1", "DELIVRD", "", ""},
		{"text:x id:1 stat:DELIVRD", "1", "DELIVRD", "", ""},
		{"id:1 id:2 stat:DELIVRD", "1", "DELIVRD", "", ""},
		{"msgid:9 id:1 substat:EXPIRED stat:DELIVRD", "1", "DELIVRD", "", ""},
		{"", "", "", "", ""},
		{"id", "", "", "", ""},
		{"id:", "", "", "", ""},
		{"hello there", "", "", "", ""},
	} {
		f := readFields(c.text)
		if f["id"] != c.id || f["stat"] != c.stat || f["err"] != c.err || f["done date"] != c.done {
			t.Errorf("%q: got %q", c.text, f)
		}
	}
}

func TestDatesAreBelievedWhenTheirZoneIsKnown(t *testing.T) {
	madrid, err := Config{Host: "h", SystemID: "v", TimeZone: "Europe/Madrid"}.settings()
	if err != nil {
		t.Fatal(err)
	}
	none, err := Config{Host: "h", SystemID: "v"}.settings()
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2024, 1, 2, 14, 4, 0, 0, time.UTC)
	for text, at := range map[string]time.Time{
		"2401021504":     want,
		"240102150433":   want.Add(33 * time.Second),
		"20240102150433": want.Add(33 * time.Second),
		"2413021504":     {},
		"240102":         {},
		"":               {},
		"yesterday!":     {},
	} {
		in := incoming{esmClass: 4, text: []byte("id:1 stat:DELIVRD done date:" + text)}
		if got := madrid.readReceipt(in).done; !got.Equal(at) {
			t.Errorf("%q: got %v, want %v", text, got, at)
		}
		if got := none.readReceipt(in).done; !got.IsZero() {
			t.Errorf("%q without a zone: got %v", text, got)
		}
	}
}

func TestErrorsOfNetworks(t *testing.T) {
	s, err := Config{Host: "h", SystemID: "v"}.settings()
	if err != nil {
		t.Fatal(err)
	}
	for err, want := range map[string]provider.Class{
		"1": provider.BadRecipient, "005": provider.BadRecipient, "7": provider.BadRecipient, "9": provider.BadRecipient,
		"12": provider.BadRecipient, "011": provider.BadRecipient, "13": provider.BadRecipient, "21": provider.BadRecipient,
		"258": provider.BadRecipient,
		"6":   provider.Temporary, "8": provider.Temporary, "27": provider.Temporary, "31": provider.Temporary,
		"34": provider.Temporary, "255": provider.Temporary, "260": provider.Temporary, "500": provider.Temporary, "509": provider.Temporary,
		"": provider.BadRequest, "000": provider.BadRequest, "4711": provider.BadRequest, "abc": provider.BadRequest, "1b": provider.BadRequest,
	} {
		r := s.readReceipt(incoming{esmClass: 4, text: []byte("id:1 stat:REJECTD err:" + err)})
		if r.class != want {
			t.Errorf("err:%s is of class %v, want %v", err, r.class, want)
		}
		// And none of them makes a failure of a message that arrived.
		if r := s.readReceipt(incoming{esmClass: 4, text: []byte("id:1 stat:DELIVRD err:" + err)}); r.class != 0 {
			t.Errorf("err:%s of a delivered message is of class %v", err, r.class)
		}
	}
	// Networks of another kind have other numbers, and then the state alone counts.
	for kind, want := range map[byte]provider.Class{1: provider.BadRequest, 2: provider.BadRequest, 3: provider.BadRecipient} {
		r := s.readReceipt(incoming{esmClass: 4, text: []byte("id:1 stat:REJECTD"), tlvs: smpp.TLVs{{Tag: smpp.TagNetworkError, Value: []byte{kind, 0, 1}}}})
		if r.class != want || r.err != "1" {
			t.Errorf("network_error_code of type %d: class %v of %q, want %v", kind, r.class, r.err, want)
		}
	}
}

func TestIdentifiersMeetInOneForm(t *testing.T) {
	for _, c := range []struct{ setting, answered, receipted string }{
		{"", "0123", "123"},
		{"", "ABCDEF01", "abcdef01"},
		{"", "00000AB", "ab"},
		{"", "0000", "0"},
		{"", "3f2a-BC", "3f2a-BC"},
		{"", "Zx9", "Zx9"},
		{"text", "7B", "07b"},
		{"hex_to_dec", "7B", "123"},
		{"hex_to_dec", "0000007b", "0000000123"},
		{"hex_to_dec", "FFFFFFFFFFFFFFFFFF", "4722366482869645213695"},
		{"hex_to_dec", "not-hex", "not-hex"},
		{"dec_to_hex", "123", "7B"},
		{"dec_to_hex", "0000000123", "0000007B"},
	} {
		s, err := Config{Host: "h", SystemID: "v", MessageID: c.setting}.settings()
		if err != nil {
			t.Fatal(err)
		}
		if a, r := s.answeredID(c.answered), foldID(c.receipted); a != r {
			t.Errorf("%s: the answer's %s became %s, the receipt's %s became %s", c.setting, c.answered, a, c.receipted, r)
		}
	}
	for _, bad := range []string{strings.Repeat("x", 256), "a b", "a\nb", "é", "\x7f"} {
		if got := foldID(bad); got != "" {
			t.Errorf("%q became %q, want nothing", bad, got)
		}
	}
}

// A carrier that answers in hexadecimal and reports in decimal, end to end.
func TestHexAnswersAndDecimalReceipts(t *testing.T) {
	id := func(n uint64) (string, string) { return fmt.Sprintf("%08X", n+0xA0), fmt.Sprintf("%010d", n+0xA0) }
	inWorld(t, Config{MessageID: "hex_to_dec"}, smsc.Config{ID: id}, func(w *world) {
		w.run()
		got := w.mustSend(text(1))
		synctest.Wait()
		if r := w.reported(); got != "161" || len(r) != 1 || r[0].ID != got {
			w.Errorf("Send gave %s, the report says %+v", got, r)
		}
	})
}

func FuzzReadReceipt(f *testing.F) {
	f.Add(byte(4), []byte("id:0123 sub:001 dlvrd:001 submit date:2401021504 done date:2401021505 stat:DELIVRD err:000 text:hello"), []byte("ab\x00"), []byte{3, 0, 1}, []byte{5})
	f.Add(byte(0x44), []byte("Stat:UNDELIV Err:1b Id:x"), []byte(nil), []byte(nil), []byte(nil))
	s, err := Config{Host: "h", SystemID: "v", TimeZone: "UTC"}.settings()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, class byte, text, id, network, state []byte) {
		in := incoming{esmClass: class, text: text, tlvs: smpp.TLVs{
			{Tag: smpp.TagReceiptedMessageID, Value: id}, {Tag: smpp.TagNetworkError, Value: network}, {Tag: smpp.TagMessageState, Value: state},
		}}
		in.isReceipt()
		report, news := s.readReceipt(in).report()
		if !news {
			return
		}
		if report.ID == "" || len(report.ID) > 255 || len(report.Code) > 40 || strings.ContainsFunc(report.Code, func(r rune) bool { return r < ' ' || r >= 0x7F }) {
			t.Errorf("an odd report: %+v", report)
		}
		if _, ok := provider.ParseClass(report.Class.String()); ok != (report.State == provider.Failed) || report.State == 0 || report.State == provider.Read {
			t.Errorf("an odd report: %+v", report)
		}
		if report.ID != foldID(report.ID) {
			t.Errorf("%q folds into %q", report.ID, foldID(report.ID))
		}
	})
}
