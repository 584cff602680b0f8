package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestTheCommandsOfSnapshots(t *testing.T) {
	p, home := atHome(t)
	line := func(args string) string {
		out, errs, code := onceWith(t, []string{"HOME=" + home}, append([]string{"snapshot"}, strings.Fields(args)...)...)
		address := regexp.MustCompile(`127\.0\.0\.1:\d+`)
		return fmt.Sprint(code, " ", anyTime.ReplaceAllString(out, "TIME"), address.ReplaceAllString(errs, "HOST"))
	}
	p.start("+34612345678", "sms")
	code := p.newest("+34612345678")
	for _, c := range []struct{ args, want string }{
		{"list", "0 "},
		{"save signed-up", "0 "},
		{"save b", "0 "},
		{"list", "0 signed-up  TIME\nb          TIME\n"},
		{"delete b", "0 "},
		{"delete b", "1 verifyd snapshot delete: HOST answers 404 Not Found: there is no snapshot of this name\n"},
		{"save a/b", "1 verifyd snapshot save: HOST answers 400 Bad Request: a snapshot has a name of at most 64 letters, digits, dots, hyphens and underscores\n"},
		{"save", "2 verifyd snapshot save: the name of the snapshot is missing; see verifyd snapshot save --help\n"},
	} {
		if got := line(c.args); got != c.want {
			t.Errorf("snapshot %s: %s, want %s", c.args, got, c.want)
		}
	}
	for range 2 {
		if status := p.check("+34612345678", code); status != "approved" {
			t.Errorf("the check says %s", status)
		}
		if got := line("restore signed-up"); got != "0 " {
			t.Errorf("restore: %s", got)
		}
	}
}
