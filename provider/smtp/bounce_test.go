package smtp

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/provider"
)

const bounceAddress = "bounces@bounces.acme.example"

func TestWhatMailSystemsSayLater(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2031, 1, 2, 2, 0, second, 0, time.UTC) }
	for name, want := range map[string]provider.Report{
		"postfix":   {State: provider.Failed, Class: provider.BadRecipient, Code: "550 5.1.1", At: at(5)},
		"exim":      {State: provider.Failed, Class: provider.Temporary, Code: "452 4.2.2", At: at(5)},
		"exchange":  {State: provider.Failed, Class: provider.BadRequest, Code: "550 5.7.1", At: at(7)},
		"delivered": {State: provider.Delivered, At: at(6)},
	} {
		got, final, err := readBounce(bounceOf(t, name))
		if err != nil || !final {
			t.Errorf("%s: final %v, %v", name, final, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if _, final, err := readBounce(bounceOf(t, "delayed")); final || err != nil {
		t.Errorf("a delay: final %v, %v", final, err)
	}
	for name, content := range map[string][]byte{
		"an out-of-office note": bounceOf(t, "absent"),
		"nothing":               nil,
		"no parts":              []byte("Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b--\r\n"),
		"cut short":             bounceOf(t, "postfix")[:1200],
		"another report":        []byte(strings.ReplaceAll(string(bounceOf(t, "postfix")), "report-type=delivery-status", "report-type=disposition-notification")),
		"no action":             []byte(strings.ReplaceAll(string(bounceOf(t, "postfix")), "Action: failed", "Action: pondered")),
	} {
		if _, final, err := readBounce(content); final || !errors.Is(err, errNoBounce) {
			t.Errorf("%s: final %v, %v", name, final, err)
		}
	}
}

func bounceOf(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata/bounces", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestAnAddressOfItsOwnForEveryMail(t *testing.T) {
	const key = "VL0123456789abcdef0123456789abcdef:12"
	v := verp(bounceAddress)
	sender, ok := v.sender(key)
	if want := address("bounces+vl0123456789abcdef0123456789abcdef-12@bounces.acme.example"); !ok || sender != want {
		t.Errorf("the sender of %s is %s", key, sender)
	}
	for _, to := range []string{string(sender), strings.ToUpper(string(sender)), "Bounces+VL0123456789abcdef0123456789ABCDEF-12@bounces.ACME.example"} {
		if got, ok := v.key(to); !ok || got != key {
			t.Errorf("the key of %s is %q", to, got)
		}
	}
	for _, to := range []string{
		"", "@", "bounces@bounces.acme.example", "bounces+@bounces.acme.example",
		"bounces+vl0123456789abcdef0123456789abcdef-12@acme.example",
		"others+vl0123456789abcdef0123456789abcdef-12@bounces.acme.example",
		"bounces+vl0123456789abcdef0123456789abcdef@bounces.acme.example",
		"bounces+vl0123456789abcdef0123456789abcdeg-1@bounces.acme.example",
		"bounces+vl0123456789abcdef0123456789abcdef-12345@bounces.acme.example",
	} {
		if got, ok := v.key(to); ok {
			t.Errorf("%s has the key %q", to, got)
		}
	}
	for _, key := range []string{"", "VL1:1", "VL0123456789abcdef0123456789abcdef", "VL0123456789abcdef0123456789abcdef:1>\r\nDATA"} {
		if got, ok := v.sender(key); ok {
			t.Errorf("%q has the sender %s", key, got)
		}
	}
}

func FuzzReadBounce(f *testing.F) {
	for _, name := range []string{"postfix", "exim", "exchange", "delayed", "absent", "delivered"} {
		f.Add(bounceOf(f, name))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		r, final, err := readBounce(content)
		switch {
		case err != nil && final:
			t.Error("an error is final")
		case final && r.State == provider.Failed && r.Class == 0:
			t.Error("a failure without a class")
		case final && len(r.Code) > len("550 5.123.123"):
			t.Errorf("the code %q is not one", r.Code)
		}
	})
}

func FuzzBounceAddress(f *testing.F) {
	f.Add("bounces+vl0123456789abcdef0123456789abcdef-12@bounces.acme.example")
	f.Add("bounces@bounces.acme.example")
	f.Fuzz(func(t *testing.T, to string) {
		v := verp(bounceAddress)
		key, ok := v.key(to)
		if !ok {
			return
		}
		if sender, ok := v.sender(key); !ok || !strings.EqualFold(string(sender), to) {
			t.Errorf("%q has the key %q, whose sender is %q", to, key, sender)
		}
	})
}
