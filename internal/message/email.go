package message

import (
	_ "embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"sync"
	"time"
)

// No mail needs more of a name than this; the payee of a payment is shown almost whole.
const (
	maxMailBrand = 64
	maxMailPayee = 200
)

// Mail is an e-mail with both of its bodies. It is in English whatever the locale: e-mail is not
// localised (core reference 7).
type Mail struct {
	Subject string
	Text    string
	// HTML stands alone: no link, no image, nothing fetched, so that it may be read offline and
	// tells nobody that it was opened. It is light or dark as the reader's system is.
	HTML string
}

// Email writes the mail. Each body has the code once, as plain text and in one piece, where mail
// clients look for codes to fill in.
func Email(o OTP) Mail {
	o = o.cleaned()
	m := mail{
		Brand:      cut(o.Brand, maxMailBrand),
		Code:       o.Code,
		DoNotShare: o.DoNotShare,
		Life:       life(o.ExpiresIn),
	}
	if o.payment() {
		m.Amount, m.Payee = o.Amount, cut(o.Payee, maxMailPayee)
	}
	m.Subject = "Your " + m.Brand + " verification code"
	subject := m.Subject
	if o.CodeInSubject {
		// The code first: a notification shows the beginning.
		subject = o.Code + " is your " + m.Brand + " verification code"
	}
	return Mail{Subject: subject, Text: m.text(), HTML: m.html()}
}

// mail is what both bodies are made of.
type mail struct {
	Subject       string // without the code, for the title of the page
	Brand         string
	Code          string
	Amount, Payee string
	Life          string // "10 minutes", empty when it is not mentioned
	DoNotShare    bool
}

// Warning is the sentence of the do-not-share flag, as Twilio prints it.
func (m mail) Warning() string {
	return "Don’t share this code with anyone; our employees will never ask for the code."
}

// Unasked tells what to do for a person who wants nothing of us.
func (m mail) Unasked() string {
	if m.Payee != "" {
		return "If you did not start this payment, do not use the code, and let " + m.Brand + " know."
	}
	return "If you did not request this code, you can ignore this e-mail."
}

func (m mail) text() string {
	var b strings.Builder
	if m.Payee != "" {
		fmt.Fprintf(&b, "You are about to pay %s to %s.\n\n", m.Amount, m.Payee)
		fmt.Fprintf(&b, "Your %s verification code for this payment is: %s\n", m.Brand, m.Code)
	} else {
		fmt.Fprintf(&b, "Your %s verification code is: %s\n", m.Brand, m.Code)
	}
	if m.Life != "" {
		fmt.Fprintf(&b, "\nThe code expires in %s.\n", m.Life)
	}
	if m.DoNotShare {
		fmt.Fprintf(&b, "\n%s\n", m.Warning())
	}
	fmt.Fprintf(&b, "\n%s\n", m.Unasked())
	return b.String()
}

//go:embed email.html
var emailHTML string

var emailTemplate = sync.OnceValue(func() *htmltemplate.Template {
	return htmltemplate.Must(htmltemplate.New("email.html").Parse(emailHTML))
})

func (m mail) html() string {
	var b strings.Builder
	b.Grow(len(emailHTML))
	if err := emailTemplate().Execute(&b, m); err != nil {
		// The template takes nothing but strings, so it cannot fail; if it ever does, the text
		// body alone is still a good mail.
		return ""
	}
	return b.String()
}

// life says how long a code is good for: in minutes up to two hours, in hours beyond, and never
// more than is true by half a minute.
func life(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch {
	case d <= 0:
		return ""
	case minutes <= 0:
		return "less than a minute"
	case minutes == 1:
		return "1 minute"
	case minutes < 120:
		return fmt.Sprintf("%d minutes", minutes)
	}
	return fmt.Sprintf("%d hours", minutes/60)
}
