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
		"a line of Unicode":      {func(m *provider.Message) { m.Email.Subject = "Hello\u2028Bcc: eve@example.com" }, provider.BadRequest},
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

func TestAddressesAreBareAndWhole(t *testing.T) {
	for s, want := range map[string]bool{
		"bob@example.com":           true,
		"bob+tag@sub.example.com":   true,
		"o'hara@example.com":        true,
		"josé@bücher.example":       true,
		"bob@[192.0.2.1]":           true,
		"":                          false,
		"bob":                       false,
		"@example.com":              false,
		"bob@":                      false,
		"bob @example.com":          false,
		" bob@example.com":          false,
		"Bob <bob@example.com>":     false,
		"<bob@example.com>":         false,
		"bob@example.com (Bob)":     false,
		"bob@example.com, a@b.c":    false,
		"bob@example.com\r\nX: y":   false,
		"bob@exa\tmple.com":         false,
		"bob@exa\u2028mple.com":     false,
		`"a b"@example.com`:         false,
		`"a,b"@example.com`:         false,
		`"bob"@example.com`:         false,
		`"a\` + "\n" + `b"@x.com`:   false,
		strings.Repeat("x", 255):    false,
		"group: bob@example.com;":   false,
		"+34612345678":              false,
		"bob@example.com NOTIFY=NO": false,
	} {
		if got := email.Address(s); got != want {
			t.Errorf("Address(%q): got %v, want %v", s, got, want)
		}
	}
}

func TestSettingsOfASender(t *testing.T) {
	for _, c := range []struct{ from, name, problem string }{
		{"codes@example.com", "", ""},
		{"codes@bücher.example", "Äcme", ""},
		{"", "Acme", "from is missing"},
		{"Acme <codes@example.com>", "", "the name goes into from_name"},
		{"codes@example.com\r\nBcc: eve@example.com", "", "from "},
		{"codes@example.com", "Acme\nBcc: eve@example.com", "from_name holds a line break"},
		{"codes@example.com", "Acme\u2028Bcc", "from_name holds a line break"},
	} {
		err := email.CheckSender(c.from, c.name)
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%q, %q: got %v, want %q", c.from, c.name, err, c.problem)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("the error is not fit to print: %q", err)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"bob@example.com", `"a b"@example.com`, "josé@bücher.example", "<a@b>", "a@b\r\nc", "a@[1.2.3.4]", "\"\\\r\n\"@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !email.Address(s) {
			return
		}
		// In an envelope it stands between brackets, and in a header among others.
		if local, domain, _ := strings.Cut(s, "@"); local == "" || domain == "" || strings.ContainsAny(s, "\r\n\x00\"<>(), ;\u2028\u2029\u0085") {
			t.Errorf("%q is said to be an address", s)
		}
	})
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
