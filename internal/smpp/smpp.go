// Package smpp reads and writes the protocol data units of SMPP 3.4, the protocol in which carriers
// take text messages. Both ends of the wire use it: the provider of that name and the carrier that
// its tests talk to.
//
// Strict where it writes and where it cuts, lenient where nothing depends on it: a length that
// cannot be is an end of the connection (ErrLength), a body that cannot be read is a *Malformed that
// says what to answer, and what is missing at the end of an answer is taken as empty, because
// carriers leave it away.
//
// It knows no connection, no window and no time. The wire of SMPP 5.0 is the same; its new commands
// are not here.
package smpp

import (
	"errors"
	"fmt"
)

// Version is that of the protocol, as a bind names it.
const Version = 0x34

// Lengths of a PDU, in octets. The protocol has no upper bound; nothing that we know comes near
// this one, which is that of a message_payload.
const (
	headerLength = 16
	MaxLength    = 64 << 10
)

// Command is the command_id of a PDU (SMPP 3.4, 5.1.2.1).
type Command uint32

// The commands that this package reads and writes.
const (
	BindReceiver      Command = 0x01
	BindTransmitter   Command = 0x02
	SubmitSM          Command = 0x04
	DeliverSM         Command = 0x05
	Unbind            Command = 0x06
	BindTransceiver   Command = 0x09
	Outbind           Command = 0x0B
	EnquireLink       Command = 0x15
	AlertNotification Command = 0x102
	DataSM            Command = 0x103

	// ResponseBit is set in the answer to a command.
	ResponseBit Command = 0x80000000

	BindReceiverResp    = BindReceiver | ResponseBit
	BindTransmitterResp = BindTransmitter | ResponseBit
	SubmitSMResp        = SubmitSM | ResponseBit
	DeliverSMResp       = DeliverSM | ResponseBit
	UnbindResp          = Unbind | ResponseBit
	BindTransceiverResp = BindTransceiver | ResponseBit
	EnquireLinkResp     = EnquireLink | ResponseBit
	DataSMResp          = DataSM | ResponseBit
	GenericNack         = ResponseBit
)

var commandNames = map[Command]string{
	BindReceiver: "bind_receiver", BindTransmitter: "bind_transmitter", BindTransceiver: "bind_transceiver",
	SubmitSM: "submit_sm", DeliverSM: "deliver_sm", DataSM: "data_sm", Unbind: "unbind", Outbind: "outbind",
	EnquireLink: "enquire_link", AlertNotification: "alert_notification",
}

// String is the name that the specification gives the command.
func (c Command) String() string {
	if c == GenericNack {
		return "generic_nack"
	}
	if name, ok := commandNames[c&^ResponseBit]; ok {
		if c.IsResponse() {
			name += "_resp"
		}
		return name
	}
	return fmt.Sprintf("command 0x%08X", uint32(c))
}

// IsResponse reports whether c answers another command. An answer is never answered.
func (c Command) IsResponse() bool { return c&ResponseBit != 0 }

// MaxSequence is the highest sequence number; 1 comes after it (SMPP 3.4, 5.1.4).
const MaxSequence = 0x7FFFFFFF

// PDU is one protocol data unit.
type PDU struct {
	Command  Command
	Status   Status // of an answer; 0 in a request
	Sequence uint32
	// Body is a *Bind, *BindResp, *ShortMessage, *Data or *MessageResp, whichever belongs to
	// Command, and nil for commands that have none or whose body is of no interest here (Outbind,
	// AlertNotification).
	Body Body
}

// Response is the answer to p.
func (p PDU) Response(status Status, body Body) PDU {
	return PDU{Command: p.Command | ResponseBit, Status: status, Sequence: p.Sequence, Body: body}
}

// Body is what follows the header of a PDU.
type Body interface {
	write(w *writer, status Status)
	read(r *reader)
}

// ErrLength is a command_length that no PDU has. What follows it cannot be told apart, so the
// connection is at its end.
var ErrLength = errors.New("smpp: command_length out of bounds")

// Malformed is a PDU of which only the header could be read. Status is what to answer with in a
// GenericNack, if it is a request.
type Malformed struct {
	Command Command
	Status  Status // InvalidCommandLength or InvalidCommandID
	Why     string
}

func (e *Malformed) Error() string { return fmt.Sprintf("smpp: %v: %s", e.Command, e.Why) }
