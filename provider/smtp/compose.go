package smtp

import (
	"bytes"
	netmail "net/mail"
	"regexp"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
)

// letter is a mail in its envelope.
type letter struct {
	from, to  address // of the envelope
	messageID string  // without its brackets
	content   []byte
}

// utf8 says that the envelope cannot be written in ASCII. SMTPUTF8 is asked for only then: a relay
// may offer it and then refuse the mail because the next one does not.
func (l letter) utf8() bool { return !l.from.ascii() || !l.to.ascii() }

// compose writes the mail.
func (p *Provider) compose(m provider.Message) (letter, *provider.Error) {
	bad := func(detail string) (letter, *provider.Error) {
		return letter{}, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	checked, refused := email.Compose(m, string(p.config.from), p.config.fromName)
	if refused != nil {
		return letter{}, refused
	}
	l := letter{from: address(checked.From), to: address(checked.To)}
	l.messageID = m.Attempt + "@" + l.from.domain()
	if p.config.verp != "" {
		var ok bool
		if l.from, ok = p.config.verp.sender(m.Key); !ok {
			return bad("the message has no key to find its bounce by")
		}
	}

	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&netmail.Address{Name: checked.FromName, Address: checked.From})
	msg.ToMailAddress(&netmail.Address{Address: checked.To})
	msg.Subject(checked.Subject)
	msg.SetDateWithValue(p.now().UTC())
	// The default would be the name of this host. A mail that is sent again keeps its identifier,
	// and many mailboxes show it once.
	msg.SetMessageIDWithValue(l.messageID)
	for _, h := range checked.Headers {
		msg.SetGenHeader(mail.Header(h.Name), h.Value)
	}
	msg.SetBodyString(mail.TypeTextPlain, checked.Text)
	if checked.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, checked.HTML)
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return bad("compose the mail: " + provider.Excerpt(err.Error(), m, p.secrets...))
	}
	l.content = b.Bytes()
	return l, nil
}

// address is one that email.Address has found good.
type address string

// path is the address as MAIL and RCPT want it.
func (a address) path() string { return "<" + string(a) + ">" }

func (a address) domain() string { return string(a[strings.LastIndexByte(string(a), '@')+1:]) }

func (a address) ascii() bool {
	return !strings.ContainsFunc(string(a), func(r rune) bool { return r > 0x7e })
}

// Relays tell their queue identifier in prose; these are the forms of Postfix, Haraka, Mailpit
// and sendmail ("queued as"), Exim ("id="), and Amazon SES ("Ok 0102…").
var queueIDs = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\bqueued as ([!-~]{1,128})`),
	regexp.MustCompile(`\bid=([!-~]{1,128})`),
	regexp.MustCompile(`^(?:2\.[0-9]\.[0-9] )?Ok ([0-9A-Za-z._-]{16,128})$`),
}

// queueID looks for the identifier in the answer to the dot.
func queueID(answer, messageID string) string {
	for _, form := range queueIDs {
		if found := form.FindStringSubmatch(answer); found != nil {
			if id := strings.Trim(found[1], `.,;"'<>()`); id != "" {
				return id
			}
		}
	}
	return messageID
}
