package smtp

import (
	"context"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

func TestCheckSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		says map[string]string
		want string // of the error; "" for none
	}{
		{"well", nil, ""},
		{"a wrong password", map[string]string{"AUTH": "535 5.7.8 no such password: hunter2222"}, "AUTH: no such password: [secret]"},
		{"no AUTH", map[string]string{"EHLO": "250 relay.test"}, "AUTH: the relay does not offer AUTH PLAIN"},
		{"too busy", map[string]string{"greeting": "421 4.3.2 come back later"}, "connect: come back later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := (&script{says: c.says}).start(t)
			p, err := New(Config{Host: "127.0.0.1", Port: s.port, TLS: "none", Username: "u", Password: "hunter2222", From: "a@example.com"}, provider.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			var checker provider.Checker = p
			err = checker.Check(context.Background())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2222") {
				t.Errorf("the password is told: %v", err)
			}
			for _, line := range s.lines() {
				if strings.HasPrefix(line, "MAIL") {
					t.Error("a mail was begun")
				}
			}
		})
	}
}
