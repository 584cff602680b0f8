package operator

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhereTheServerIs(t *testing.T) {
	usual, other, none := t.TempDir(), t.TempDir(), t.TempDir()
	for folder, d := range map[string]Dev{
		usual: {URL: "http://usual", AccountSID: "ACusual", AuthToken: "usual"},
		other: {URL: "http://other", AccountSID: "ACother", AuthToken: "other"},
	} {
		if _, err := d.Announce(folder); err != nil {
			t.Fatal(err)
		}
	}
	twilio := map[string]string{envAccount: "ACenv", envToken: "env"}
	all := map[string]string{envAccount: "ACenv", envToken: "env", envURL: "https://env/"}
	for _, c := range []struct {
		args string
		env  map[string]string
		dev  string
		want string // address, account, token; or an error
	}{
		{"", nil, usual, "http://usual ACusual usual"},
		{"", twilio, usual, "http://usual ACusual usual"}, // perhaps of an account at Twilio
		{"", all, usual, "https://env ACenv env"},
		{"--data " + other, all, usual, "http://other ACother other"},
		{"--url http://flag", twilio, usual, "http://flag ACenv env"},
		{"--url http://flag --account SK1 --token t", all, usual, "http://flag SK1 t"},
		{"--account SK1 --token t", nil, usual, "http://usual SK1 t"},
		{"--account SK1", all, usual, "https://env SK1 env"},
		{"--account SK1", nil, usual, "error: --account and --token belong together"},
		{"--url http://flag --data " + other, nil, usual, "error: --url and --data say two servers"},
		{"--url http://flag", nil, usual, "error: the account is missing: set TWILIO_ACCOUNT_SID, or give --account"},
		{"--url http://flag --account AC1", nil, usual, "error: the auth token is missing: set TWILIO_AUTH_TOKEN, or give --token"},
		{"--url flag:80", twilio, usual, `error: "flag:80" is no address of a server; want one as https://verify.example.com`},
		{"--url http://a:b@flag", twilio, usual, "error: the address of the server http://a:xxxxx@flag has more than scheme, host and path"},
		{"", twilio, none, "error: no verifyd dev runs on the data folder " + none + "; start one, or say where a server is with --url or VERIFYD_URL"},
	} {
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		server := ServerFlags(flags)
		if err := flags.Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		got := ""
		client, err := server.Find(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }, c.dev)
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = client.base + " " + client.account + " " + client.token
		}
		if got != c.want {
			t.Errorf("%q with %v:\ngot  %s\nwant %s", c.args, c.env, got, c.want)
		}
	}
}

// Two servers may share a folder, if their stores are elsewhere: the first to stop takes nothing
// from the other.
func TestWhoStopsTakesItsOwnAnnouncementAlone(t *testing.T) {
	folder := t.TempDir()
	first, err := Dev{URL: "http://1"}.Announce(folder)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(folder, devFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file has a token in it and is %v, %v", info, err)
	}
	second, err := Dev{URL: "http://2"}.Announce(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	if d, err := ReadDev(folder); err != nil || d.URL != "http://2" {
		t.Errorf("the second is gone: %v, %v", d, err)
	}
	if err := second(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := second(); err != nil {
		t.Errorf("without the file: %v", err)
	}
	if _, err := (Dev{}).Announce(filepath.Join(folder, "none")); err == nil {
		t.Error("a folder that is not there was written to")
	}
}
