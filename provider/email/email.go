// Package email is what providers of mail share: it makes of a message the letter that goes out, and says
// what a mail server meant by its status.
//
// Everything that goes into a header is checked here, because an API may put it there as it is, and what
// writes MIME would encode most line breaks: the person would read the rest of an injected header in the
// subject. It knows no vendor, and does not write MIME.
package email

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// Letter is a mail that is ready to be written: in a vendor's form, or as MIME.
type Letter struct {
	To       string // the address alone
	From     string // the address alone
	FromName string // "" for none
	Subject  string
	Text     string
	HTML     string // "" for none
	Headers  []Header
}

// Header is a header of its own.
type Header struct{ Name, Value string }

// attemptShape is that of a SID. It becomes part of a header.
var attemptShape = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// CheckSender says what is wrong with the settings "from" and "from_name" of a provider.
func CheckSender(from, fromName string) error {
	switch {
	case from == "":
		return errors.New("from is missing: the address that mails come from")
	case !Address(from):
		return fmt.Errorf("from %q is not a bare address like codes@example.com; the name goes into from_name", from)
	case strings.ContainsFunc(fromName, control):
		return errors.New("from_name holds a line break or control character")
	}
	return nil
}

// Compose writes the letter of m. From and fromName are the provider's own; the sender of the mail, then
// that of the route, wins over them.
func Compose(m provider.Message, from, fromName string) (Letter, *provider.Error) {
	refuse := func(class provider.Class, detail string) (Letter, *provider.Error) {
		return Letter{}, &provider.Error{Class: class, Detail: detail}
	}
	if m.Email == nil || m.Email.Text == "" {
		return refuse(provider.BadRequest, "the message has no mail, or one without a text")
	}
	if !Address(m.To) {
		return refuse(provider.BadRecipient, "the destination is not an e-mail address")
	}
	l := Letter{To: m.To, From: from, FromName: fromName, Subject: m.Email.Subject, Text: m.Email.Text, HTML: m.Email.HTML}
	for _, own := range []string{m.From, m.Email.From} {
		if own != "" {
			l.From = own
		}
	}
	if m.Email.FromName != "" {
		l.FromName = m.Email.FromName
	}
	switch {
	case !Address(l.From):
		return refuse(provider.BadRequest, "the sender is not an e-mail address")
	case strings.ContainsFunc(l.FromName, control):
		return refuse(provider.BadRequest, "the sender's name holds a line break or control character")
	case strings.ContainsFunc(l.Subject, control):
		return refuse(provider.BadRequest, "the subject holds a line break or control character")
	case !attemptShape.MatchString(m.Attempt):
		return refuse(provider.BadRequest, "the attempt is not a SID")
	}
	l.Headers = []Header{
		{"Auto-Submitted", "auto-generated"}, // RFC 3834
		{"X-Auto-Response-Suppress", "All"},
		{"X-Entity-Ref-ID", m.Attempt}, // Gmail folds mails of one subject without it
	}
	return l, nil
}

// Address says that s is an address and nothing more: no name, no brackets, no comment, no group, and
// nothing that would have to be quoted. It is the addr-spec of RFC 5322 less its quoted local part, which
// vendors and mailboxes take to mean different things.
func Address(s string) bool {
	if len(s) > 254 || strings.ContainsFunc(s, control) || strings.ContainsAny(s, "<>();,") {
		return false
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}

// control is of characters that end a line somewhere: those of ASCII, and those of Unicode.
func control(r rune) bool {
	return r < ' ' || r == 0x7f || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// noSuchMailbox are the codes of RFC 3463, and of RFC 7505 for 5.1.10, that speak of the address and of
// nothing else.
var noSuchMailbox = []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}

// Class is what an enhanced status code (RFC 3463) says of a mail that came back: "5.1.1". A 5 that
// speaks of something else than the address is a policy, so that another provider may do better.
// Otherwise is for what is no such code.
func Class(status string, otherwise provider.Class) provider.Class {
	switch {
	case slices.Contains(noSuchMailbox, status):
		return provider.BadRecipient
	case status == "5.2.2": // the mailbox is full
		return provider.Temporary
	case statusShape.MatchString(status):
		if status[0] == '4' {
			return provider.Temporary
		}
		return provider.BadRequest
	}
	return otherwise
}

var statusShape = regexp.MustCompile(`^[45]\.[0-9]{1,3}\.[0-9]{1,3}$`)
