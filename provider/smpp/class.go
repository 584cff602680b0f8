package smpp

import (
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// statusClasses is the table of docs/providers/smpp.md. A status that is not here is the carrier's
// own, or says that a field is wrong: BadRequest.
var statusClasses = map[smpp.Status]provider.Class{
	smpp.InvalidDestination: provider.BadRecipient,
	smpp.InvalidBindStatus:  provider.Temporary,
	smpp.SystemError:        provider.Temporary,
	smpp.SubmitFailed:       provider.Temporary,
	smpp.TemporaryAppError:  provider.Temporary,
	0xFE:                    provider.Temporary, // RDELIVERYFAILURE
	0xFF:                    provider.Temporary, // RUNKNOWNERR
	smpp.QueueFull:          provider.Throttled, // perhaps only the queue of this recipient
	smpp.Throttled:          provider.Throttled,
}

// classOf is what a status in the answer to a message means.
func (s *settings) classOf(status smpp.Status) provider.Class {
	if class, ok := s.classes[status]; ok {
		return class
	}
	if class, ok := statusClasses[status]; ok {
		return class
	}
	return provider.BadRequest
}

// ends reports whether a connection on which this was answered is of no more use: our framing is
// broken, or the carrier does not think that we are bound.
func ends(status smpp.Status) bool {
	return status == smpp.InvalidCommandLength || status == smpp.InvalidCommandID || status == smpp.InvalidBindStatus
}

// credentials are the refusals of a bind that will be the same tomorrow.
func credentials(status smpp.Status) bool {
	switch status {
	case smpp.BindFailed, smpp.InvalidPassword, smpp.InvalidSystemID, smpp.InvalidSystemType:
		return true
	}
	return false
}

// read is what the answer to a message means; nil is that the carrier has it.
func (p *Provider) read(answer smpp.PDU, m provider.Message) *provider.Error {
	status := answer.Status
	if answer.Command == smpp.GenericNack {
		// It could not read what we sent, unless it uses the nack to slow us down.
		e := &provider.Error{Class: provider.BadRequest, Code: status.Code(), Detail: "generic_nack " + status.String()}
		if status == smpp.Throttled || status == smpp.QueueFull {
			e.Class, e.RetryAfter = provider.Throttled, throttlePause
		}
		return e
	}
	if status == smpp.OK {
		return nil
	}
	e := &provider.Error{Class: p.config.classOf(status), Code: status.Code(), Detail: status.String()}
	if e.Class == provider.Throttled {
		e.RetryAfter = throttlePause
	}
	if resp, ok := answer.Body.(*smpp.MessageResp); ok {
		if words := provider.Excerpt(resp.TLVs.Text(smpp.TagAdditionalStatusInfo), m, p.secrets...); words != "" {
			e.Detail += ": " + words
		}
	}
	return e
}

// reportClasses are the errors of the mobile networks' own protocol (MAP, 3GPP TS 29.002, 17.6.6),
// which most carriers put into err and network_error_code in decimal.
var reportClasses = map[provider.Class][]uint64{
	provider.BadRecipient: {
		1, 5, 7, 9, 12, // unknown or illegal subscriber or equipment
		11, 13, 21, 258, // no short messages, or barred
	},
	provider.Temporary: {
		6, 27, 31, 33, 256, 260, // absent, busy, memory full
		8,                   // roaming not allowed
		32, 34, 35, 36, 255, // failures of the network
		500, 501, 502, 503, 504, 505, 506, 507, 508, 509, // and of the carrier
	},
}

// networkClass is the class of such an error; false is one that has no meaning everywhere.
func networkClass(code uint64) (provider.Class, bool) {
	for class, codes := range reportClasses {
		if slices.Contains(codes, code) {
			return class, true
		}
	}
	return 0, false
}

// throttlePause is how long a carrier is left alone that found us too fast.
const throttlePause = time.Second
