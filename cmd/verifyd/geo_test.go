package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A production account sends nowhere but where it was told to, and the commands change that beside
// the server.
func TestMessagesGoWhereTheAccountAllows(t *testing.T) {
	g := newGateway(t)
	in := install(t, g.URL)
	geo := func(args ...string) string {
		t.Helper()
		out, errs, code := once(t, append([]string{"geo", args[0], "--config", in.config}, args[1:]...)...)
		if code != 0 {
			t.Fatalf("geo %v: %d %s", args, code, errs)
		}
		return out
	}
	if got := geo("list"); got != "allow  all countries  all channels  all services\n" {
		t.Errorf("an account for all countries:\n%s", got)
	}
	geo("deny", "--countries", "all")
	if got := geo("allow", "--countries", "es,FR", "--channels", "sms"); !strings.Contains(got, "allow  FR             sms           all services\n") {
		t.Errorf("after allowing:\n%s", got)
	}
	p := in.serve()
	start := func(to string) int {
		t.Helper()
		status, _, _, err := in.post(t.Context(), p.base, "/Verifications", url.Values{"To": {to}, "Channel": {"sms"}})
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	if spain, germany := start("+34612345678"), start("+4915112345678"); spain != 201 || germany != 403 {
		t.Errorf("to Spain %d, to Germany %d, want 201 and 403", spain, germany)
	}
	geo("allow", "--countries", "DE")
	waitFor(t, "the server to see the rule", func() bool { return start("+4915112345678") == 201 })
	if got := geo("inherit", "--countries", "es,fr", "--channels", "sms"); strings.Contains(got, "FR") {
		t.Errorf("after removing rules:\n%s", got)
	}
}

func TestMistakesAboutCountries(t *testing.T) {
	config := filepath.Join(t.TempDir(), "verifyd.toml")
	if err := os.WriteFile(config, []byte("store = \"sqlite:"+filepath.Join(filepath.Dir(config), "x.db")+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"account", "create"}, "--countries"},
		{[]string{"account", "create", "--countries", "Spain"}, `"Spain"`},
		{[]string{"geo", "allow", "--countries", "ES"}, "0 accounts"},
		{[]string{"account", "create", "--countries", "all"}, ""},
		{[]string{"geo", "allow"}, "--countries"},
		{[]string{"geo", "deny", "--countries", "XX"}, `"XX"`},
		{[]string{"geo", "deny", "--countries", "ES", "--channels", "email"}, "--channels"},
		{[]string{"geo", "deny", "--countries", "ES", "--service", "VA1"}, "VA1"},
		{[]string{"geo", "list", "--account", "AC1"}, "AC1"},
	} {
		_, stderr, code := once(t, append(c.args, "--config", config)...)
		if (code == 0) != (c.says == "") || !strings.Contains(stderr, c.says) || code != 0 && strings.Count(stderr, "\n") != 1 {
			t.Errorf("verifyd %s: exit code %d, want %q in one line:\n%s", strings.Join(c.args, " "), code, c.says, stderr)
		}
	}
}
