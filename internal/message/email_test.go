package message

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestEmailText(t *testing.T) {
	tests := []struct {
		name          string
		otp           OTP
		subject, text string
	}{
		{
			"the least",
			OTP{Brand: "Acme", Code: "123456"},
			"Your Acme verification code",
			"Your Acme verification code is: 123456\n\n" +
				"If you did not request this code, you can ignore this e-mail.\n",
		},
		{
			"all of it, and English for a German",
			OTP{Brand: "Acme", Code: "123456", Locale: "de", ExpiresIn: 10 * time.Minute, DoNotShare: true, AppHash: "He42w354ol9"},
			"Your Acme verification code",
			"Your Acme verification code is: 123456\n\n" +
				"The code expires in 10 minutes.\n\n" +
				"Don’t share this code with anyone; our employees will never ask for the code.\n\n" +
				"If you did not request this code, you can ignore this e-mail.\n",
		},
		{
			"payment",
			OTP{Brand: "Acme", Code: "123456", Amount: "€39.99", Payee: "Café Noir", ExpiresIn: 5 * time.Minute},
			"Your Acme verification code",
			"You are about to pay €39.99 to Café Noir.\n\n" +
				"Your Acme verification code for this payment is: 123456\n\n" +
				"The code expires in 5 minutes.\n\n" +
				"If you did not start this payment, do not use the code, and let Acme know.\n",
		},
		{
			"the code in the subject, when asked for",
			OTP{Brand: "Acme", Code: "123456", CodeInSubject: true},
			"123456 is your Acme verification code",
			"Your Acme verification code is: 123456\n\n" +
				"If you did not request this code, you can ignore this e-mail.\n",
		},
		{
			"no header is begun by a name",
			OTP{Brand: "Acme\r\nBcc: all@example.com", Code: "12\r\n34", CodeInSubject: true},
			"1234 is your Acme Bcc: all@example.com verification code",
			"Your Acme Bcc: all@example.com verification code is: 1234\n\n" +
				"If you did not request this code, you can ignore this e-mail.\n",
		},
	}
	for _, tt := range tests {
		got := Email(tt.otp)
		if got.Subject != tt.subject {
			t.Errorf("%s: subject %q, want %q", tt.name, got.Subject, tt.subject)
		}
		if got.Text != tt.text {
			t.Errorf("%s: text\n%s\nwant\n%s", tt.name, got.Text, tt.text)
		}
	}
}

func TestLife(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Minute:                      "",
		0:                                 "",
		time.Second:                       "less than a minute",
		29 * time.Second:                  "less than a minute",
		31 * time.Second:                  "1 minute",
		80 * time.Second:                  "1 minute",
		2 * time.Minute:                   "2 minutes",
		9*time.Minute + 58*time.Second:    "10 minutes", // the moment that the mail took to be written
		10 * time.Minute:                  "10 minutes",
		90 * time.Minute:                  "90 minutes",
		2 * time.Hour:                     "2 hours",
		23*time.Hour + 50*time.Minute:     "23 hours",
		24*time.Hour - 1*time.Millisecond: "24 hours",
	} {
		if got := life(d); got != want {
			t.Errorf("life(%v) = %q, want %q", d, got, want)
		}
	}
}

// page is what a reader of the HTML sees and what his mail client is told to do.
type page struct {
	text  string
	attrs map[string][]string // values by "element attribute"
	tags  map[string]int
}

// browse reads HTML that is well-formed enough for an XML parser, as ours is.
func browse(t *testing.T, html string) page {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict = false
	d.AutoClose = xml.HTMLAutoClose
	d.Entity = xml.HTMLEntity
	p := page{attrs: map[string][]string{}, tags: map[string]int{}}
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, html)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			open = append(open, name)
			p.tags[name]++
			for _, a := range token.Attr {
				key := name + " " + a.Name.Local
				p.attrs[key] = append(p.attrs[key], a.Value)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != token.Name.Local {
				t.Fatalf("</%s> closes %v in\n%s", token.Name.Local, open, html)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && open[len(open)-1] != "style" {
				p.text += " " + string(token)
			}
		}
	}
	if len(open) > 0 {
		t.Fatalf("never closed: %v", open)
	}
	p.text = strings.Join(strings.Fields(p.text), " ")
	return p
}

var mails = map[string]OTP{
	"plain":   {Brand: "Acme Bank", Code: "483915", ExpiresIn: 10 * time.Minute},
	"warning": {Brand: "Acme Bank", Code: "483915", ExpiresIn: 10 * time.Minute, DoNotShare: true, CodeInSubject: true},
	"payment": {Brand: "Acme Bank", Code: "483915", Amount: "€39.99", Payee: "Café Noir & Söhne", DoNotShare: true},
}

func TestEmailHTMLSaysWhatItsTextSays(t *testing.T) {
	want := map[string][]string{
		"plain":   {"Acme Bank", "Your verification code is: 483915", "The code expires in 10 minutes.", "If you did not request this code"},
		"warning": {"Don’t share this code with anyone; our employees will never ask for the code."},
		"payment": {"Confirm your payment", "Amount €39.99", "To Café Noir & Söhne", "Your verification code for this payment is: 483915",
			"Don’t share this code", "If you did not start this payment, do not use the code, and let Acme Bank know."},
	}
	for name, otp := range mails {
		p := browse(t, Email(otp).HTML)
		for _, words := range want[name] {
			if !strings.Contains(p.text, words) {
				t.Errorf("%s: %q is missing in: %s", name, words, p.text)
			}
		}
	}
	if p := browse(t, Email(mails["plain"]).HTML); strings.Contains(p.text, "share") || strings.Contains(p.text, "payment") {
		t.Errorf("the plain mail warns or speaks of a payment: %s", p.text)
	}
}

// Mail clients look for one token; a second one, in a title or a hidden line, would only be shown
// where it should not.
func TestEachBodyHasTheCodeOnceAndInOnePiece(t *testing.T) {
	for name, otp := range mails {
		m := Email(otp)
		for part, body := range map[string]string{"text": m.Text, "HTML": m.HTML} {
			if n := strings.Count(body, otp.Code); n != 1 {
				t.Errorf("%s, %s: the code stands %d times, want once", name, part, n)
			}
		}
		if !strings.Contains(m.HTML, ">"+otp.Code+"<") {
			t.Errorf("%s: the code is not alone in its element", name)
		}
		if !otp.CodeInSubject && strings.Contains(m.Subject, otp.Code) {
			t.Errorf("%s: the code is in the subject", name)
		}
	}
}

func TestEmailHTMLStandsAlone(t *testing.T) {
	fetches := regexp.MustCompile(`(?i)https?:|//|url\(|@import|src=|href=|background=|<img|<a\b|<link|<script|<form|<iframe|\bon\w+=`)
	for name, otp := range mails {
		m := Email(otp)
		body := strings.TrimPrefix(m.HTML, "<!DOCTYPE html>")
		if found := fetches.FindString(body); found != "" {
			t.Errorf("%s: has %q", name, found)
		}
		p := browse(t, m.HTML)
		if got := p.attrs["html lang"]; len(got) != 1 || got[0] != "en" {
			t.Errorf("%s: lang %v", name, got)
		}
		if got := p.attrs["html dir"]; len(got) != 1 || got[0] != "ltr" {
			t.Errorf("%s: dir %v", name, got)
		}
		for _, sign := range []string{`name="color-scheme" content="light dark"`, "prefers-color-scheme: dark", `charset="utf-8"`, `name="viewport"`} {
			if !strings.Contains(m.HTML, sign) {
				t.Errorf("%s: %s is missing", name, sign)
			}
		}
		if len(m.Text) > 2048 || len(m.HTML) > 16*1024 {
			t.Errorf("%s: %d bytes of text, %d of HTML", name, len(m.Text), len(m.HTML))
		}
		if strings.Contains(m.HTML, "ZgotmplZ") {
			t.Errorf("%s: html/template refused a value:\n%s", name, m.HTML)
		}
	}
}

func TestValuesCannotBecomeHTML(t *testing.T) {
	const evil = `</p><script>alert(1)</script><img src=x onerror=alert(1)>"'`
	m := Email(OTP{Brand: evil, Code: `<b>1</b>`, Amount: evil, Payee: evil})
	p := browse(t, m.HTML)
	for _, tag := range []string{"script", "img", "b"} {
		if p.tags[tag] != 0 {
			t.Errorf("<%s> got in:\n%s", tag, m.HTML)
		}
	}
	if !strings.Contains(p.text, "<script>alert(1)</script>") {
		t.Errorf("the name is not shown as it is: %s", p.text)
	}
}

func TestLongNamesAreShortenedInMailToo(t *testing.T) {
	m := Email(OTP{Brand: strings.Repeat("Acme ", 100), Code: "123456", Amount: "€5", Payee: strings.Repeat("Shop ", 1000)})
	if len(m.Subject) > 100 || len(m.Text) > 1024 {
		t.Errorf("subject of %d bytes, text of %d", len(m.Subject), len(m.Text))
	}
}

func FuzzEmail(f *testing.F) {
	f.Add("Acme", "123456", "€5", "Shop", int64(10*time.Minute))
	f.Add("<script>", "&", "\x00", "\xff\u202e", int64(-1))
	f.Fuzz(func(t *testing.T, brand, code, amount, payee string, life int64) {
		m := Email(OTP{Brand: brand, Code: code, Amount: amount, Payee: payee, ExpiresIn: time.Duration(life), CodeInSubject: true})
		if strings.ContainsFunc(m.Subject, unicode.IsControl) {
			t.Fatalf("subject %q", m.Subject)
		}
		if m.HTML == "" || !strings.HasSuffix(m.HTML, "</html>\n") {
			t.Fatalf("half a page: %q", m.HTML)
		}
		if got, want := strings.Count(m.HTML, "<"), strings.Count(Email(OTP{Brand: "x", Code: "x", Amount: amount, Payee: payee, ExpiresIn: time.Duration(life)}).HTML, "<"); strings.TrimSpace(amount) == "" && got != want {
			t.Fatalf("values brought elements of their own: %d, want %d", got, want)
		}
	})
}

func BenchmarkEmail(b *testing.B) {
	o := mails["payment"]
	b.ReportAllocs()
	for b.Loop() {
		Email(o)
	}
}
