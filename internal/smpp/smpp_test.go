package smpp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// golden are PDUs with their octets. The first three were parsed back by an implementation that is
// not ours (npm smpp 0.5.1); a test with the tag full lets it read and answer all that we send.
var golden = []struct {
	name, octets string
	pdu          PDU
}{
	{"bind_transceiver", "00000024 00000009 00000000 00000001 76657269667964 00 736563726574 00 00 34 00 00 00",
		PDU{BindTransceiver, 0, 1, &Bind{SystemID: "verifyd", Password: "secret", Version: Version}}},
	{"submit_sm", "00000058 00000004 00000000 00000002 00 0500 41636d65 00 0101 3334363132333435363738 00 00 00 01 00" +
		"30303030303030303130303030303052 00 01 00 00 00 18 596f75722041636d6520636f646520697320313233343536",
		PDU{SubmitSM, 0, 2, &ShortMessage{
			Source: Address{5, 0, "Acme"}, Destination: Address{1, 1, "34612345678"}, Priority: 1,
			ValidityPeriod: "000000001000000R", RegisteredDelivery: 1, Text: []byte("Your Acme code is 123456"),
		}}},
	{"enquire_link", "00000010 00000015 00000000 00000003", PDU{EnquireLink, 0, 3, nil}},
	{"bind_transceiver_resp", "0000001d 80000009 00000000 00000001 41636d6543617200 0210 0001 34",
		PDU{BindTransceiverResp, 0, 1, &BindResp{SystemID: "AcmeCar", TLVs: TLVs{{TagVersion, []byte{0x34}}}}}},
	{"a bind refused", "00000010 80000009 0000000e 00000001", PDU{BindTransceiverResp, InvalidPassword, 1, &BindResp{}}},
	{"submit_sm_resp", "00000014 80000004 00000000 00000002 61623100", PDU{SubmitSMResp, 0, 2, &MessageResp{MessageID: "ab1"}}},
	{"a submit refused", "00000010 80000004 00000058 00000002", PDU{SubmitSMResp, Throttled, 2, &MessageResp{}}},
	{"deliver_sm with a payload", "00000032 00000005 00000000 7fffffff 00 010133343600 000041 00 04 0000 00 00 00 00 00 00 00" +
		"0424 0004 69643a31 0427 0001 02",
		PDU{DeliverSM, 0, MaxSequence, &ShortMessage{
			Source: Address{1, 1, "346"}, Destination: Address{0, 0, "A"}, ESMClass: ESMReceipt, Text: []byte{},
			TLVs: TLVs{{TagMessagePayload, []byte("id:1")}, {TagMessageState, []byte{2}}},
		}}},
	{"deliver_sm_resp", "00000011 80000005 00000064 00000007 00", PDU{DeliverSMResp, TemporaryAppError, 7, &MessageResp{}}},
	{"data_sm", "0000001e 00000103 00000000 00000008 00 00003100 00003200 04 00 00 001e",
		PDU{}},
	{"unbind", "00000010 00000006 00000000 00000009", PDU{Unbind, 0, 9, nil}},
	{"generic_nack", "00000010 80000000 00000003 0000000a", PDU{GenericNack, InvalidCommandID, 10, nil}},
}

func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("%v: %s", err, s)
	}
	return b
}

func TestGoldenOctets(t *testing.T) {
	for _, c := range golden {
		want := octets(t, c.octets)
		got, err := Parse(want)
		if c.pdu.Command == 0 {
			if _, ok := errors.AsType[*Malformed](err); !ok {
				t.Errorf("%s: got %+v, %v; want it malformed", c.name, got, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.pdu) {
			t.Errorf("%s: read %+v %+v, %v", c.name, got, got.Body, err)
		}
		written, err := c.pdu.Append([]byte("before"))
		if name := string(written[:6]); err != nil || name != "before" {
			t.Errorf("%s: wrote %x, %v", c.name, written, err)
		}
		// A refusal with an empty body is written without one.
		if c.name == "deliver_sm_resp" {
			want = octets(t, "00000010 80000005 00000064 00000007")
		}
		if !bytes.Equal(written[6:], want) {
			t.Errorf("%s:\nwrote %x\n want %x", c.name, written[6:], want)
		}
	}
}

func TestDataIsRead(t *testing.T) {
	p := PDU{DataSM, 0, 8, &Data{Source: Address{1, 1, "346"}, Destination: Address{5, 0, "Acme"}, ESMClass: ESMReceipt,
		TLVs: TLVs{{TagReceiptedMessageID, []byte("ab1\x00")}, {TagNetworkError, []byte{3, 0, 1}}}}}
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(b)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v %+v, %v", got, got.Body, err)
	}
	tlvs := got.Body.(*Data).TLVs
	if id := tlvs.Text(TagReceiptedMessageID); id != "ab1" {
		t.Errorf("the id is %q", id)
	}
	if _, ok := tlvs.Uint(TagNetworkError); ok {
		t.Error("three octets passed as a number")
	}
}

func TestAnswersMayEndEarly(t *testing.T) {
	for name, s := range map[string]string{
		"no body":          "00000010 80000004 00000000 00000002",
		"with a refusal":   "00000010 80000004 00000008 00000002",
		"a bind":           "00000010 80000009 00000000 00000002",
		"a deliver_sm's":   "00000010 80000005 00000000 00000002",
		"a refusal's body": "00000011 80000004 00000008 00000002 00",
	} {
		if p, err := Parse(octets(t, s)); err != nil {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestWhatIsMalformedKeepsItsHeader(t *testing.T) {
	for name, c := range map[string]struct {
		octets string
		status Status
	}{
		"unknown":                 {"00000010 00000099 00000000 00000005", InvalidCommandID},
		"query_sm":                {"00000015 00000003 00000000 00000005 6100000000", InvalidCommandID},
		"a text without end":      {"00000012 00000009 00000000 00000005 6161", InvalidCommandLength},
		"a text too long":         {"00000021 00000009 00000000 00000005 6161616161616161616161616161616161", InvalidCommandLength},
		"more than its fields":    {"0000001a 00000009 00000000 00000005 61006100 00 340000 00 99", InvalidCommandLength},
		"less than its fields":    {"00000014 00000005 00000000 00000005 00010100", InvalidCommandLength},
		"half a TLV":              {"00000014 80000004 00000000 00000005 61000427", InvalidCommandLength},
		"a TLV beyond the end":    {"00000016 80000004 00000000 00000005 6100 0427 0002", InvalidCommandLength},
		"a short_message of 255":  {"00000021 00000005 00000000 00000005 00 000000 000000 000000 0000 00000000 ff", InvalidCommandLength},
		"a short_message missing": {"00000021 00000005 00000000 00000005 00 000000 000000 000000 0000 00000000 01", InvalidCommandLength},
	} {
		p, err := Parse(octets(t, c.octets))
		m, ok := errors.AsType[*Malformed](err)
		if !ok || m.Status != c.status || p.Sequence != 5 || p.Body != nil || m.Error() == "" {
			t.Errorf("%s: got %+v, %v, want status %v", name, p, err, c.status)
		}
	}
}

func TestLengthsThatCannotBe(t *testing.T) {
	for _, s := range []string{"00000000", "0000000f 00000015 00000000 000000", "00010001 00000015 00000000 00000001", "ffffffff"} {
		if _, err := NewReader(bytes.NewReader(octets(t, s))).Read(); !errors.Is(err, ErrLength) {
			t.Errorf("%s: %v, want ErrLength", s, err)
		}
	}
	for _, s := range []string{"", "00000010", "00000011 00000015 00000000 00000001"} {
		if _, err := Parse(octets(t, s)); !errors.Is(err, ErrLength) {
			t.Errorf("%s: %v, want ErrLength", s, err)
		}
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	for name, p := range map[string]PDU{
		"a NUL in a text":       {Command: BindReceiver, Body: &Bind{Password: "a\x00b"}},
		"a long system_id":      {Command: BindReceiver, Body: &Bind{SystemID: strings.Repeat("x", 16)}},
		"a long short_message":  {Command: SubmitSM, Body: &ShortMessage{Text: make([]byte, 255)}},
		"a long address":        {Command: SubmitSM, Body: &ShortMessage{Destination: Address{Addr: strings.Repeat("1", 21)}}},
		"a long TLV":            {Command: SubmitSM, Body: &ShortMessage{TLVs: TLVs{{TagMessagePayload, make([]byte, 0x10000)}}}},
		"more than a PDU":       {Command: SubmitSM, Body: &ShortMessage{TLVs: TLVs{{TagMessagePayload, make([]byte, 0xFFF0)}}}},
		"another's body":        {Command: SubmitSM, Body: &Bind{}},
		"a body where none is":  {Command: EnquireLink, Body: &MessageResp{}},
		"no body where one is":  {Command: SubmitSM},
		"a command that is not": {Command: 0x99},
		"a command only read":   {Command: 0x80000099, Body: &MessageResp{}},
	} {
		b, err := p.Append([]byte("before"))
		if err == nil || string(b) != "before" {
			t.Errorf("%s: wrote %x, %v", name, b, err)
		}
	}
}

func TestAStreamIsCutIntoPDUs(t *testing.T) {
	var stream []byte
	var want []PDU
	for _, c := range golden {
		stream = append(stream, octets(t, c.octets)...)
		want = append(want, c.pdu)
	}
	r := NewReader(iotest.OneByteReader(bytes.NewReader(stream)))
	for _, w := range want {
		p, err := r.Read()
		if _, broken := errors.AsType[*Malformed](err); broken && w.Command == 0 {
			continue
		}
		if err != nil || !reflect.DeepEqual(p, w) {
			t.Fatalf("got %+v, %v, want %+v", p, err, w)
		}
	}
	if _, err := r.Read(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for _, cut := range []int{1, 3, 4, 17} {
		if _, err := NewReader(bytes.NewReader(stream[:cut])).Read(); err != io.ErrUnexpectedEOF {
			t.Errorf("cut after %d: %v", cut, err)
		}
	}
}

// timeouts gives one octet, then a timeout, then the next.
type timeouts struct {
	rest []byte
	late bool
}

func (r *timeouts) Read(b []byte) (int, error) {
	if r.late = !r.late; r.late {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b[:1], r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func TestATimeoutLosesNothing(t *testing.T) {
	r := NewReader(&timeouts{rest: octets(t, golden[1].octets)})
	for range 10_000 {
		p, err := r.Read()
		if err == nil {
			if !reflect.DeepEqual(p, golden[1].pdu) {
				t.Errorf("got %+v", p)
			}
			return
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	t.Error("never read")
}

func TestNames(t *testing.T) {
	for want, got := range map[string]string{
		"submit_sm": SubmitSM.String(), "submit_sm_resp": SubmitSMResp.String(), "generic_nack": GenericNack.String(),
		"command 0x00000099": Command(0x99).String(), "ESME_RTHROTTLED": Throttled.String(),
		"0x410": Status(0x410).String(), "0x0B": InvalidDestination.Code(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range golden {
		f.Add(octets(f, c.octets))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		p, err := Parse(frame)
		if err != nil {
			if _, ok := errors.AsType[*Malformed](err); !ok && !errors.Is(err, ErrLength) {
				t.Fatalf("%x: %v", frame, err)
			}
			return
		}
		if m, ok := p.Body.(*ShortMessage); ok {
			if part, text := m.Part(); part.Number > part.Total || len(text) > len(m.Content()) {
				t.Errorf("%x: part %+v of %d octets", frame, part, len(text))
			}
		}
		if p.Body == nil && p.Command&^ResponseBit != EnquireLink && p.Command&^ResponseBit != Unbind && p.Command != GenericNack {
			return // only read
		}
		again, err := p.Append(nil)
		if err != nil {
			t.Fatalf("%x was read and cannot be written: %v", frame, err)
		}
		if back, err := Parse(again); err != nil || !reflect.DeepEqual(normal(back), normal(p)) {
			t.Errorf("%x\nwas read as %+v %+v\nwritten as %x\nand read as %+v %+v, %v", frame, p, p.Body, again, back, back.Body, err)
		}
	})
}

// normal makes nothing of what is empty.
func normal(p PDU) PDU {
	if m, ok := p.Body.(*ShortMessage); ok && len(m.Text) == 0 {
		m.Text = nil
	}
	return p
}

func FuzzReader(f *testing.F) {
	f.Add(octets(f, golden[0].octets+golden[1].octets))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewReader(iotest.HalfReader(bytes.NewReader(stream)))
		for range len(stream) + 1 {
			if _, err := r.Read(); err != nil {
				if _, ok := errors.AsType[*Malformed](err); !ok {
					return
				}
			}
		}
		t.Errorf("%x has more PDUs than octets", stream)
	})
}
