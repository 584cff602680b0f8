package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
)

// reply is a relay's answer: "550 5.1.1 no such user" in its three parts.
type reply struct {
	code     int
	enhanced string // "5.1.1", empty where there is none
	text     string
}

// The enhanced status code stands directly behind the reply code (RFC 2034, 4). Anywhere else
// three numbers with dots are a piece of an IP address.
var enhancedShape = regexp.MustCompile(`^([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)`)

// readReply is the reply in err; ok is false where the conversation broke without one.
func readReply(err error) (r reply, ok bool) {
	e, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return reply{}, false
	}
	r = reply{code: e.Code, text: e.Msg}
	if found := enhancedShape.FindStringSubmatch(e.Msg); found != nil {
		r.enhanced = found[1]
		r.text = e.Msg[len(found[0]):]
	}
	return r, true
}

func (r reply) String() string {
	return strings.TrimSpace(fmt.Sprintf("%03d %s", r.code, r.enhanced))
}

// classify is the table of docs/providers/smtp.md. The first row that fits decides. A bare 550 may be a
// policy, and is not held against the person.
func classify(at stage, err error) provider.Class {
	r, answered := readReply(err)
	if !answered {
		return silenceClass(at, err)
	}
	switch {
	case throttled(r):
		return provider.Throttled
	case at < authenticating:
		return provider.Temporary
	case r.code/100 == 4:
		return provider.Temporary
	case r.code/100 == 5 && r.enhanced == "5.2.2": // the mailbox is full
		return provider.Temporary
	case at >= recipient && slices.Contains([]int{550, 551, 553, 556}, r.code) && email.Class(r.enhanced, 0) == provider.BadRecipient:
		return provider.BadRecipient
	case r.code/100 == 5:
		return provider.BadRequest
	case at == dot: // neither yes nor no
		return provider.Unknown
	}
	return provider.Temporary
}

func throttled(r reply) bool {
	if r.code != 421 && r.code != 450 && r.code != 451 {
		return false
	}
	return slices.Contains([]string{"4.7.0", "4.7.28", "4.3.2"}, r.enhanced) ||
		strings.Contains(strings.ToLower(r.text), "too many")
}

// silenceClass is for conversations that broke without a reply.
func silenceClass(at stage, err error) provider.Class {
	if at == dot {
		return provider.Unknown
	}
	if _, invalid := errors.AsType[*tls.CertificateVerificationError](err); invalid || errors.Is(err, errUnmet) {
		// It will be so tomorrow, and somebody may be listening: never without, and an alarm.
		return provider.BadRequest
	}
	return provider.Temporary
}

func (f *failure) unmet() bool { return errors.Is(f.err, errUnmet) }

// error is what routing and the operator learn of a failure.
func (p *Provider) error(ctx context.Context, f *failure, m provider.Message) *provider.Error {
	e := &provider.Error{Class: classify(f.at, f.err), Detail: f.at.String()}
	words := f.err.Error()
	if r, answered := readReply(f.err); answered {
		e.Code, words = r.String(), r.text
	} else if ctx.Err() != nil {
		e.Err = ctx.Err() // and not "use of closed network connection"
		return e
	}
	if words = provider.Excerpt(words, m, p.secrets...); words != "" {
		e.Detail += ": " + words
	}
	return e
}
