package smtp

import (
	"bytes"
	netmail "net/mail"
	"regexp"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/verifyd/verifyd/provider"
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

// attemptShape is that of a SID. It becomes part of Message-ID.
var attemptShape = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// compose writes the mail. Everything that goes into a header is checked here, and a line break
// in it is refused: go-mail would encode most of them, and the person would read the rest of an
// injected header in the subject.
func (p *Provider) compose(m provider.Message) (letter, *provider.Error) {
	bad := func(detail string) (letter, *provider.Error) {
		return letter{}, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	if m.Email == nil || m.Email.Text == "" {
		return bad("the message has no mail, or one without a text")
	}
	l := letter{from: p.config.from}
	var ok bool
	if l.to, ok = parseAddress(m.To); !ok {
		return letter{}, &provider.Error{Class: provider.BadRecipient, Detail: "the destination is not an e-mail address"}
	}
	for _, own := range []string{m.From, m.Email.From} { // the mail's wins over the route's
		if own == "" {
			continue
		}
		if l.from, ok = parseAddress(own); !ok {
			return bad("the sender is not an e-mail address")
		}
	}
	name := p.config.fromName
	if m.Email.FromName != "" {
		name = m.Email.FromName
	}
	switch {
	case hasControl(name):
		return bad("the sender's name holds a line break or control character")
	case hasControl(m.Email.Subject):
		return bad("the subject holds a line break or control character")
	case !attemptShape.MatchString(m.Attempt):
		return bad("the attempt is not a SID")
	}
	author := l.from
	l.messageID = m.Attempt + "@" + author.domain()
	if p.config.verp != "" {
		if l.from, ok = p.config.verp.sender(m.Key); !ok {
			return bad("the message has no key to find its bounce by")
		}
	}

	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&netmail.Address{Name: name, Address: string(author)})
	msg.ToMailAddress(&netmail.Address{Address: string(l.to)})
	msg.Subject(m.Email.Subject)
	msg.SetDateWithValue(p.now().UTC())
	// The default would be the name of this host. A mail that is sent again keeps its identifier,
	// and many mailboxes show it once.
	msg.SetMessageIDWithValue(l.messageID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("X-Entity-Ref-ID", m.Attempt) // Gmail folds mails of one subject without it
	msg.SetBodyString(mail.TypeTextPlain, m.Email.Text)
	if m.Email.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.Email.HTML)
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return bad("compose the mail: " + provider.Excerpt(err.Error(), m, p.secrets...))
	}
	l.content = b.Bytes()
	return l, nil
}

// address is the addr-spec of RFC 5322: no name, no brackets, no comments, no groups.
type address string

func parseAddress(s string) (address, bool) {
	if len(s) > 254 || hasControl(s) || strings.ContainsAny(s, "<>();") {
		return "", false
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Name != "" || hasControl(a.Address) {
		return "", false
	}
	return address(a.Address), true
}

// path is the address as MAIL and RCPT want it, its local part quoted if it must be.
func (a address) path() string { return (&netmail.Address{Address: string(a)}).String() }

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
