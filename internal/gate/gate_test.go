package gate_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/gate"
)

// open is a gate of a server that is called by some names, with a handler behind it that answers 200.
func open() http.Handler {
	return gate.Gate{
		Hosts:  []string{"Verify.Example.COM.:8642", "10.0.0.7:8642", ":8642", "", "*.example.org"},
		Also:   func(name string) bool { return name == "verify.twilio.com" },
		Refuse: func(w http.ResponseWriter, text string) { http.Error(w, text, http.StatusForbidden) },
	}.Before(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// ask sends a request to a host, with more headers.
func ask(method, host string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/dev/inbox", nil)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	open().ServeHTTP(rec, r)
	return rec
}

func TestHosts(t *testing.T) {
	for _, test := range []struct {
		hosts string
		want  int
	}{
		// What a browser does not ask a name server for.
		{"127.0.0.1 127.0.0.1:8642 127.0.0.1. 192.168.1.4:80 203.0.113.9", 200},
		{"[::1] [::1]:8642 [2001:db8::1]:80 [::ffff:127.0.0.1]:80 [fe80::1%eth0]:80 [fe80::1%25eth0]:80 [FE80::1]", 200},
		{"localhost localhost:8642 LOCALHOST localhost. LocalHost.:8642 shop.localhost shop.localhost.:1", 200},
		// What is not sold.
		{"verifyd verifyd:8642 my_verifyd VERIFYD. verifyd-1:80", 200},
		{"mac.local mac.LOCAL.:8642 verifyd.default.svc.cluster.local host.docker.internal metadata.internal", 200},
		{"shop.test a.b.test:80 box.localdomain", 200},
		// What the server was told.
		{"verify.example.com VERIFY.example.com:1 verify.example.com.:8642 10.0.0.7 verify.twilio.com Verify.Twilio.Com.:443", 200},

		{"evil.example evil.example:8642 evil.example.:8642 EVIL.EXAMPLE 127.0.0.1.evil.example localhost.evil.example", 403},
		{"example.com a.verify.example.com verify.example.com.evil.example xverify.example.com a.example.org api.twilio.com", 403},
		{"7f000001.rbndr.us evil.notlocal evil.xtest mac.local.evil.example foo.internal.example xn--80ak6aa92e.com", 403},
		{"127.0.0.1:80:evil.example [::1]evil.example evil.example%00.localhost localhost/ localhost:x", 403},
		{"[::1 ::1]:80 ..localhost .localhost localhost.. . : :8642 a..test 127.0.0.1.. fe80::1 *.localhost evil.example@localhost", 403},
	} {
		for host := range strings.FieldsSeq(test.hosts) {
			if rec := ask("GET", host); rec.Code != test.want {
				t.Errorf("%s: %d %s, want %d", host, rec.Code, rec.Body, test.want)
			}
		}
	}
	for _, host := range []string{"", " ", strings.Repeat("a.", 130) + "test"} {
		if rec := ask("GET", host); rec.Code != 403 {
			t.Errorf("%.20q: %d", host, rec.Code)
		}
	}
}

func TestARefusalSaysWhatAllowsIt(t *testing.T) {
	for host, want := range map[string]string{
		"Verify.Acme.example:80": "This server does not know that it is called verify.acme.example, and a page on the web could say so; if it is, start it with --hosts verify.acme.example\n",
		"a<b":                    "The Host header \"a<b\" is no name of a host\n",
		"":                       "The Host header \"\" is no name of a host\n",
	} {
		if got := ask("GET", host).Body.String(); got != want {
			t.Errorf("%q: %s want %s", host, got, want)
		}
	}
}

func TestChangesFromOtherOriginsAreRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		header []string
		want   int
	}{
		{"a program", nil, http.StatusOK},
		{"the page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8642"}, http.StatusOK},
		{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		{"another port", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:81"}, http.StatusForbidden},
		{"an old browser", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"a sandboxed e-mail", []string{"Origin", "null"}, http.StatusForbidden},
	} {
		rec := ask("DELETE", "localhost:8642", test.header...)
		if rec.Code != test.want {
			t.Errorf("%s: %d, want %d", test.name, rec.Code, test.want)
		}
		if got := rec.Body.String(); test.want == http.StatusForbidden && got != "Cross-origin requests are refused\n" {
			t.Errorf("%s: %s", test.name, got)
		}
	}
}

// What comes out of Name is a name or an address, and stays what it is.
func FuzzName(f *testing.F) {
	for _, host := range []string{"localhost:8642", "[fe80::1%25eth0]:80", "Verify.Example.COM.", "127.0.0.1.", "[::1", ""} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		name, ok := gate.Name(host)
		if !ok {
			return
		}
		again := name
		if a, err := netip.ParseAddr(name); err == nil {
			if a.Is6() {
				again = "[" + name + "]"
			}
		} else if strings.ToLower(name) != name || strings.ContainsAny(name, ":/@[]% ") {
			t.Errorf("%q is called %q", host, name)
		}
		if got, ok := gate.Name(again); got != name || !ok {
			t.Errorf("%q is called %q, and that %q", host, name, got)
		}
	})
}

func ExampleGate() {
	dev := gate.Gate{
		Hosts:  []string{"verify.example.com"},
		Refuse: func(w http.ResponseWriter, text string) { http.Error(w, text, http.StatusForbidden) },
	}
	h := dev.Before(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "the inbox") }))
	for _, host := range []string{"localhost:8642", "verify.example.com", "rebound.example"} {
		r := httptest.NewRequest("GET", "/dev/inbox", nil)
		r.Host = host
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		fmt.Println(host, rec.Code)
	}
	// Output:
	// localhost:8642 200
	// verify.example.com 200
	// rebound.example 403
}
