package verify

import (
	"net/url"
	"testing"
)

func FuzzReadEventTypes(f *testing.F) {
	for _, s := range []string{"*", "factor.created", `["*","challenge.denied"]`, "[]", "[1]", " FACTOR.deleted "} {
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		values := []string{first}
		if second != "" {
			values = append(values, second)
		}
		list, ok := readEventTypes(values)
		if ok && len(list) == 0 {
			t.Errorf("%q gives nothing", values)
		}
		again := make([]string, len(list))
		for i, kind := range list {
			again[i] = string(kind)
		}
		if same, still := readEventTypes(again); ok && (!still || len(same) != len(list)) {
			t.Errorf("%q is read as %q, and that as %q", values, list, same)
		}
	})
}

func FuzzValidWebhookURL(f *testing.F) {
	for _, s := range []string{"https://example.com/", "http://[::1]:80/?a=b", "https://a@b", "https:///x", "https://x#", "HTTPS://x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !validWebhookURL(s) {
			return
		}
		if u, err := url.Parse(s); err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
			t.Errorf("%q is taken", s)
		}
	})
}
