package smtp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

func TestConfigurations(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(notPEM, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t).file
	for _, c := range []struct{ name, config, problem string }{
		{"the least", `{"host":"smtp.example.com","from":"codes@example.com"}`, ""},
		{"all", `{"host":"smtp.example.com","port":2525,"tls":"implicit","username":"u","password":"hunter2","auth":"login",` +
			`"from":"codes@example.com","from_name":"Äcme","helo":"v.example.com","ca_file":"` + ca + `","timeout":"1m"}`, ""},
		{"this host", `{"host":"localhost","tls":"none","from":"codes@example.com"}`, ""},
		{"this host by number", `{"host":"::1","tls":"none","from":"codes@example.com"}`, ""},
		{"a helo in brackets", `{"host":"h","from":"codes@example.com","helo":"[192.0.2.1]"}`, ""},
		{"an international sender", `{"host":"h","from":"codes@bücher.example"}`, ""},
		{"no host", `{"from":"codes@example.com"}`, "host is missing"},
		{"a port in the host", `{"host":"smtp.example.com:587","from":"codes@example.com"}`, `host "smtp.example.com:587"`},
		{"a URL", `{"host":"smtp://example.com","from":"codes@example.com"}`, `host "smtp://example.com"`},
		{"a mode of its own", `{"host":"h","tls":"opportunistic","from":"codes@example.com"}`, `tls "opportunistic" is none of`},
		{"in the clear", `{"host":"relay.internal","tls":"none","from":"codes@example.com"}`, "tls: none is for this host only"},
		{"in the clear, nearly", `{"host":"127.0.0.1.example.com","tls":"none","from":"codes@example.com"}`, "tls: none is for this host only"},
		{"a port too far", `{"host":"h","port":65536,"from":"codes@example.com"}`, "port 65536"},
		{"a port below", `{"host":"h","port":-1,"from":"codes@example.com"}`, "port -1"},
		{"another mechanism", `{"host":"h","auth":"cram-md5","username":"u","password":"hunter2","from":"codes@example.com"}`, `auth "cram-md5"`},
		{"a mechanism for nobody", `{"host":"h","auth":"login","from":"codes@example.com"}`, "username is missing"},
		{"no password", `{"host":"h","username":"u","from":"codes@example.com"}`, "password is missing"},
		{"a password for nobody", `{"host":"h","password":"hunter2","from":"codes@example.com"}`, "username is missing"},
		{"a zero byte", `{"host":"h","username":"u","password":"hunter2\u0000","from":"codes@example.com"}`, "zero byte"},
		{"no sender", `{"host":"h"}`, "from is missing"},
		{"a sender with a name", `{"host":"h","from":"Acme <codes@example.com>"}`, "from_name"},
		{"a sender with more", `{"host":"h","from":"codes@example.com\r\nBcc: eve@example.com"}`, "from "},
		{"a name with more", `{"host":"h","from":"codes@example.com","from_name":"a\nb"}`, "from_name holds"},
		{"a helo with more", `{"host":"h","from":"codes@example.com","helo":"a\r\nMAIL"}`, "helo "},
		{"a bare number", `{"host":"h","from":"codes@example.com","timeout":"10"}`, `timeout "10" is not a duration`},
		{"less than no time", `{"host":"h","from":"codes@example.com","timeout":"-1s"}`, `timeout "-1s" is not a duration`},
		{"no such file", `{"host":"h","from":"codes@example.com","ca_file":"/nonexistent"}`, "ca_file: open /nonexistent"},
		{"no such certificate", `{"host":"h","from":"codes@example.com","ca_file":"` + notPEM + `"}`, "ca_file: " + notPEM + " holds no certificate"},
		{"a misspelt key", `{"hots":"h","from":"codes@example.com"}`, `unknown field "hots"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := provider.Build(New)(json.RawMessage(c.config), provider.Deps{})
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\r\n")) {
				t.Errorf("the error is not fit to print: %q", err)
			}
		})
	}
}

func TestPortsFollowTheMode(t *testing.T) {
	for mode, want := range map[string]string{"": "h:587", "starttls": "h:587", "implicit": "h:465"} {
		s, err := Config{Host: "h", TLS: mode, From: "codes@example.com"}.settings()
		if err != nil || s.address != want {
			t.Errorf("tls %q: got %s, %v, want %s", mode, s.address, err, want)
		}
	}
	s, err := Config{Host: "::1", TLS: "none", From: "codes@example.com"}.settings()
	if err != nil || s.address != "[::1]:25" || s.helo != "example.com" {
		t.Errorf("got %+v, %v", s, err)
	}
}
