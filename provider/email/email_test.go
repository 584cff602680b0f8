package email_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/email"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestWhoseSenderItIs(t *testing.T) {
	for _, c := range []struct{ route, mail, name, from, want string }{
		{"", "", "", "codes@example.com", "Acme <codes@example.com>"},
		{"route@example.com", "", "", "codes@example.com", "Acme <route@example.com>"},
		{"route@example.com", "own@example.com", "Own", "codes@example.com", "Own <own@example.com>"},
	} {
		m := providertest.Message("email", 1)
		m.From, m.Email.From, m.Email.FromName = c.route, c.mail, c.name
		l, failed := email.Compose(m, c.from, "Acme")
		if failed != nil {
			t.Fatal(failed)
		}
		if got := l.FromName + " <" + l.From + ">"; got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
		if l.To != m.To || l.Subject != m.Email.Subject || l.Text != m.Email.Text || l.HTML != m.Email.HTML {
			t.Errorf("got %+v for %+v", l, m.Email)
		}
	}
}

func TestWhatIsNoMailIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*provider.Message)
		class  provider.Class
	}{
		"no mail":                {func(m *provider.Message) { m.Email = nil }, provider.BadRequest},
		"no text":                {func(m *provider.Message) { m.Email.Text = "" }, provider.BadRequest},
		"no address":             {func(m *provider.Message) { m.To = "pat" }, provider.BadRecipient},
		"a name and an address":  {func(m *provider.Message) { m.To = "Pat <pat@example.com>" }, provider.BadRecipient},
		"two addresses":          {func(m *provider.Message) { m.To = "pat@example.com,eve@example.com" }, provider.BadRecipient},
		"a line in the address":  {func(m *provider.Message) { m.To = "pat@example.com\r\nBcc: eve@example.com" }, provider.BadRecipient},
		"a line in the sender":   {func(m *provider.Message) { m.From = "a@example.com\n" }, provider.BadRequest},
		"a line in the name":     {func(m *provider.Message) { m.Email.FromName = "Acme\r\nBcc: eve@example.com" }, provider.BadRequest},
		"a line in the subject":  {func(m *provider.Message) { m.Email.Subject = "Hello\nBcc: eve@example.com" }, provider.BadRequest},
		"an attempt with a line": {func(m *provider.Message) { m.Attempt = "VL1\nX: y" }, provider.BadRequest},
	} {
		m := providertest.Message("email", 1)
		c.change(&m)
		if _, failed := email.Compose(m, "codes@example.com", ""); failed == nil || failed.Class != c.class {
			t.Errorf("%s: got %v, want %v", name, failed, c.class)
		}
	}
}

func TestStatusesAndTheirClasses(t *testing.T) {
	for class, statuses := range map[provider.Class]string{
		provider.BadRecipient: "5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.2.1",
		provider.BadRequest:   "5.7.1 5.0.0 5.3.4",
		provider.Temporary:    "4.2.2 4.7.0 5.2.2",
		provider.Unknown:      "2.0.0 550 5.1 x 5.1.1.1",
	} {
		for status := range strings.FieldsSeq(statuses) {
			if got := email.Class(status, provider.Unknown); got != class {
				t.Errorf("%s: got %v, want %v", status, got, class)
			}
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("pat@example.com", "codes@example.com", "Acme", "Hello")
	f.Add("pat@example.com\r\nBcc: x@y", "<>", "a\nb", "\x00")
	f.Fuzz(func(t *testing.T, to, from, name, subject string) {
		m := providertest.Message("email", 1)
		m.To, m.Email.From, m.Email.FromName, m.Email.Subject = to, from, name, subject
		l, failed := email.Compose(m, "codes@example.com", "")
		if failed != nil {
			return
		}
		if written := l.To + l.From + l.FromName + l.Subject; strings.ContainsAny(written, "\r\n\x00") {
			t.Errorf("a line break got through: %q", written)
		}
	})
}

func ExampleClass() {
	fmt.Println(email.Class("5.1.1", provider.Temporary))
	fmt.Println(email.Class("5.7.1", provider.Temporary))
	// Output:
	// bad_recipient
	// bad_request
}
