package smpp

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// Every function here reads what somebody else's program wrote, and is fuzzed.

// incoming is a message from the carrier: a DeliverSM or a DataSM.
type incoming struct {
	esmClass byte
	text     []byte
	tlvs     smpp.TLVs
}

func incomingOf(p smpp.PDU) (incoming, bool) {
	switch b := p.Body.(type) {
	case *smpp.ShortMessage:
		return incoming{b.ESMClass, b.Content(), b.TLVs}, true
	case *smpp.Data:
		payload, _ := b.TLVs.Get(smpp.TagMessagePayload)
		return incoming{b.ESMClass, payload, b.TLVs}, true
	}
	return incoming{}, false
}

// isReceipt looks at bits 2 to 5 alone, because other bits may be set (0x44 is seen). A carrier
// that leaves them out names the message in a parameter. The text proves nothing: anybody can send
// us one that looks like a receipt.
func (in incoming) isReceipt() bool {
	switch in.esmClass & smpp.ESMTypeMask {
	case smpp.ESMReceipt:
		return true
	case 0:
		_, named := in.tlvs.Get(smpp.TagReceiptedMessageID)
		_, state := in.tlvs.Get(smpp.TagMessageState)
		return named && state
	}
	return false // acknowledgements of the user, and notifications before the last
}

// state is a message_state (SMPP 3.4, 5.2.28; 5.0, 4.7.15).
type state int

const (
	scheduled state = iota
	enroute
	delivered
	expired
	deleted
	undeliverable
	accepted
	unknown
	rejected
	skipped
	noState state = -1
)

var stateNames = [...]string{"SCHEDULED", "ENROUTE", "DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "ACCEPTED", "UNKNOWN", "REJECTED", "SKIPPED"}

// stateOf reads the stat of a receipt's text, of which carriers write five letters or more:
// DELIVRD, DELIVERED.
func stateOf(stat string) state {
	stat = strings.ToUpper(stat)
	if len(stat) >= 5 {
		for i, name := range stateNames {
			if strings.HasPrefix(name, stat[:5]) {
				return state(i)
			}
		}
	}
	if strings.HasPrefix(stat, "FAIL") {
		return undeliverable
	}
	return noState
}

// receipt is what a carrier says of a message, each field empty where it does not.
type receipt struct {
	id    string
	state state
	stat  string // as the carrier wrote it
	err   string // likewise
	class provider.Class
	done  time.Time
}

// readReceipt takes the parameters first and the text for what they do not say.
func (s *settings) readReceipt(in incoming) receipt {
	fields := readFields(string(in.text))
	r := receipt{id: in.tlvs.Text(smpp.TagReceiptedMessageID), state: noState, stat: code(fields["stat"]), err: code(fields["err"])}
	if r.id == "" {
		r.id = fields["id"]
	}
	r.id = foldID(r.id)
	if n, ok := in.tlvs.Uint(smpp.TagMessageState); ok && n < uint32(len(stateNames)) {
		r.state = state(n)
	}
	if r.state == noState {
		r.state = stateOf(r.stat)
	}
	if r.stat == "" && r.state != noState {
		r.stat = stateNames[r.state]
	}
	number, err := strconv.ParseUint(r.err, 10, 32)
	if v, ok := in.tlvs.Get(smpp.TagNetworkError); ok && len(v) == 3 {
		n := uint64(v[1])<<8 | uint64(v[2])
		if r.err == "" {
			r.err = strconv.FormatUint(n, 10)
		}
		const gsm = 3 // networks of another kind have other numbers
		if v[0] == gsm {
			number, err = n, nil
		}
	}
	r.class = r.state.class()
	if class, ok := networkClass(number); ok && err == nil && r.class != 0 {
		r.class = class
	}
	if s.zone != nil {
		r.done = date(fields["done date"], s.zone)
	}
	return r
}

// class is what a state alone means; 0 is no failure.
func (s state) class() provider.Class {
	switch s {
	case expired, deleted, undeliverable, skipped: // the handset was off, or nobody says why
		return provider.Temporary
	case rejected:
		return provider.BadRequest
	}
	return 0
}

// report is what a receipt says in the words of the contract; false is that it changes nothing.
func (r receipt) report() (provider.Report, bool) {
	report := provider.Report{ID: r.id, At: r.done}
	switch {
	case r.id == "":
		return report, false
	case r.state == delivered:
		report.State = provider.Delivered
		return report, true
	case r.class == 0:
		return report, false
	}
	report.State, report.Class = provider.Failed, r.class
	report.Code = strings.TrimSpace(r.stat + " " + r.err)
	return report, true
}

var (
	// fieldShape finds a key wherever it stands. Between keys of two words there may be an
	// underscore, and behind the colon a space.
	fieldShape = regexp.MustCompile(`(?i)(?:^|[\s,;])(id|stat|err|done[ _]?date)\s*:\s?([^\s,;]*)`)
	textShape  = regexp.MustCompile(`(?i)(?:^|[\s,;])text\s*:`)
)

// readFields reads the text of appendix B, "id:IIIIIIIIII sub:SSS dlvrd:DDD submit date:… done
// date:… stat:DDDDDDD err:E text:…", each key by itself and any of them missing. What stands behind
// text: is ours, and might say anything.
func readFields(text string) map[string]string {
	if at := textShape.FindStringIndex(text); at != nil && at[0] > 0 {
		text = text[:at[0]]
	}
	fields := map[string]string{}
	for _, found := range fieldShape.FindAllStringSubmatch(text, -1) {
		key := strings.ToLower(found[1])
		if strings.HasPrefix(key, "done") {
			key = "done date"
		}
		if _, again := fields[key]; !again {
			fields[key] = found[2]
		}
	}
	return fields
}

// date reads YYMMDDhhmm, with seconds or without, and the zero time from anything else.
func date(text string, zone *time.Location) time.Time {
	for _, layout := range []string{"0601021504", "060102150405", "20060102150405"} {
		if len(text) != len(layout) {
			continue
		}
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// code is a carrier's code that is fit to be stored and shown: no word of a message is as short and
// as plain.
func code(text string) string {
	const longest = 16
	if len(text) > longest || !codeShape.MatchString(text) {
		return ""
	}
	return text
}

var codeShape = regexp.MustCompile(`^[A-Za-z0-9._:/-]+$`)

// answeredID is the id of an answer in the form that receipts have; "" where it is of no use.
func (s *settings) answeredID(id string) string {
	switch s.messageID {
	case idHexToDec:
		if n, ok := new(big.Int).SetString(id, 16); ok {
			id = n.Text(10)
		}
	case idDecToHex:
		if n, ok := new(big.Int).SetString(id, 10); ok {
			id = n.Text(16)
		}
	}
	return foldID(id)
}

var hexShape = regexp.MustCompile(`^[0-9A-Fa-f]+$`)

// foldID makes one of the ways to write a number: carriers change case and drop leading zeros
// between the answer and the receipt. Whatever is no number is left as it is.
func foldID(id string) string {
	const longest = 255 // what a column and a log line can hold
	if len(id) > longest || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7F }) {
		return ""
	}
	if !hexShape.MatchString(id) {
		return id
	}
	if folded := strings.TrimLeft(strings.ToLower(id), "0"); folded != "" {
		return folded
	}
	return "0"
}
