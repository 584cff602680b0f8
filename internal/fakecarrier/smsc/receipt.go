package smsc

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

// Form is one of the ways in which carriers write a receipt.
type Form int

// The forms. All of them are seen.
const (
	// FormText is the text of appendix B in short_message, and nothing else.
	FormText Form = iota
	// FormBoth has the parameters too.
	FormBoth
	// FormTLV has no text.
	FormTLV
	// FormPayload has the text in message_payload.
	FormPayload
	// FormOdd has its keys in another order and case, seconds in its dates, and bits in esm_class
	// that mean something else.
	FormOdd
	// FormData comes as data_sm with parameters.
	FormData
)

// receipt is a report on its way to a client.
type receipt struct {
	pdu   smpp.PDU
	tries int
	then  func() // when it has been answered, well or not
}

const (
	receiptWindow = 10 // receipts that a connection may leave unanswered
	receiptTries  = 10
	maxOutbox     = 100_000     // receipts of an account that wait; more are lost
	receiptPause  = time.Second // before one that was refused is sent again
)

var messageStates = map[string]byte{
	"SCHED": 0, "ENROU": 1, "DELIV": 2, "EXPIR": 3, "DELET": 4, "UNDEL": 5, "ACCEP": 6, "UNKNO": 7, "REJEC": 8, "SKIPP": 9,
}

// newReceipt writes the report of a message with that id.
func newReceipt(m *smpp.ShortMessage, id string, submitted time.Time, f Fate) *receipt {
	state, code := f.State, f.Err
	if state == "" {
		state = "DELIVRD"
	}
	if code == "" {
		code = "000"
	}
	now := time.Now()
	// 20 characters of the text go back, as in life.
	excerpt := m.Content()
	excerpt = excerpt[:min(20, len(excerpt))]
	const minutes, seconds = "0601021504", "060102150405"
	text := fmt.Sprintf("id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:%s err:%s text:%s",
		id, submitted.Format(minutes), now.Format(minutes), state, code, excerpt)
	odd := fmt.Sprintf("Stat:%s Err:%s Id:%s Submit Date:%s Done Date:%s Text:stat:EXPIRED",
		state, code, id, submitted.Format(seconds), now.Format(seconds))

	tlvs := smpp.TLVs{{Tag: smpp.TagReceiptedMessageID, Value: append([]byte(id), 0)}}
	if n, ok := messageStates[strings.ToUpper(state[:min(5, len(state))])]; ok {
		tlvs = append(tlvs, smpp.TLV{Tag: smpp.TagMessageState, Value: []byte{n}})
	}
	if n, err := strconv.ParseUint(code, 10, 16); err == nil && n > 0 {
		const gsm = 3
		tlvs = append(tlvs, smpp.TLV{Tag: smpp.TagNetworkError, Value: binary.BigEndian.AppendUint16([]byte{gsm}, uint16(n))})
	}
	if f.Form == FormData {
		return &receipt{pdu: smpp.PDU{Command: smpp.DataSM, Body: &smpp.Data{
			Source: m.Destination, Destination: m.Source, ESMClass: smpp.ESMReceipt, TLVs: tlvs,
		}}}
	}
	body := &smpp.ShortMessage{Source: m.Destination, Destination: m.Source, ESMClass: smpp.ESMReceipt}
	switch f.Form {
	case FormText:
		body.Text = []byte(text)
	case FormBoth:
		body.Text, body.TLVs = []byte(text), tlvs
	case FormTLV:
		body.TLVs = tlvs
	case FormPayload:
		body.TLVs = smpp.TLVs{{Tag: smpp.TagMessagePayload, Value: []byte(text)}}
	case FormOdd:
		body.Text, body.ESMClass = []byte(odd), smpp.ESMReceipt|smpp.ESMUserDataHeader
	}
	return &receipt{pdu: smpp.PDU{Command: smpp.DeliverSM, Body: body}}
}

// Send puts a message or a receipt of your own making on its way to a client of an account: a
// DeliverSM or a DataSM.
func (s *Server) Send(account string, p smpp.PDU) { s.post(account, &receipt{pdu: p}) }

// post leaves a receipt for the next connection of an account that has room for it.
func (s *Server) post(name string, r *receipt) {
	s.mu.Lock()
	a := s.accounts[name]
	if s.closed || a == nil || len(a.outbox) >= maxOutbox {
		s.mu.Unlock()
		if r.then != nil {
			r.then()
		}
		return
	}
	a.outbox = append(a.outbox, r)
	s.mu.Unlock()
	s.pump(name)
}

// pump sends what there is to those who have room.
func (s *Server) pump(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[name]
	if a == nil || s.closed || s.mute {
		return
	}
	for len(a.outbox) > 0 {
		sent := false
		for _, k := range a.receivers {
			if k.deliver(a.outbox[0]) {
				sent = true
				break
			}
		}
		if !sent {
			return
		}
		s.counts.Receipts++
		s.tell()
		a.outbox = a.outbox[1:]
	}
}

// answered is called for a receipt that a client has answered.
func (s *Server) answered(name string, r *receipt, status smpp.Status) {
	if status == smpp.OK {
		s.count(func(c *Counts) { c.ReceiptsTaken++ })
	} else if r.tries++; r.tries < receiptTries {
		time.AfterFunc(receiptPause, func() { s.post(name, r) })
	}
	if r.then != nil {
		r.then()
		r.then = nil
	}
	s.pump(name)
}
