package verifytest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/verifytest"
)

// After a restore the same calls have the same answers, down to SIDs, codes and dates where there is a seed.
func TestWhatFollowsASnapshotRepeats(t *testing.T) {
	srv := verifytest.Start(t, verifytest.Seed(11))
	start(t, srv, ana)
	code := srv.Code(t, ana)
	srv.SetRules(verifytest.Rule{To: "+346111*", Carrier: "late", Report: "delivered"})
	start(t, srv, "+34611111111")
	srv.Advance(time.Minute)
	before := srv.Now()
	snapshot := srv.Snapshot()

	follows := func() string {
		var said strings.Builder
		fmt.Fprintln(&said, check(t, srv, ana, "000000"), check(t, srv, ana, code), check(t, srv, ana, code))
		next := start(t, srv, "+34622222222")
		fmt.Fprintln(&said, next["sid"], next["date_created"], srv.Code(t, "+34622222222"))
		fmt.Fprintln(&said, stateOf(t, srv, inbox(t, srv, "to=%2B34611111111")[0].AttemptSID))
		_, limit := post(t, srv, "verify.twilio.com", "/RateLimits", url.Values{"UniqueName": {"ip"}})
		fmt.Fprintln(&said, limit["sid"])
		srv.Next() // the report, or an end
		srv.Advance(time.Hour)
		fmt.Fprintln(&said, srv.Now().Sub(before), len(inbox(t, srv, "")))
		again := start(t, srv, ana)
		fmt.Fprintln(&said, again["sid"], srv.Code(t, ana))
		srv.SetRules()
		return said.String()
	}
	first := follows()
	if !strings.HasPrefix(first, "200 pending 200 approved 404") {
		t.Errorf("it says\n%s", first)
	}
	for range 3 {
		srv.Restore(snapshot)
		if got := srv.Now(); !got.Equal(before) {
			t.Errorf("it is %v, want %v", got, before)
		}
		if got := follows(); got != first {
			t.Errorf("first\n%s\nthen\n%s", first, got)
		}
	}
	srv.Reset()
	srv.Restore(snapshot)
	if got := follows(); got != first {
		t.Errorf("first\n%s\nafter a reset\n%s", first, got)
	}
}

// Without a seed, and while time runs, a snapshot has records, messages and time back.
func TestASnapshotOfARunningServer(t *testing.T) {
	srv := verifytest.Start(t)
	post(t, srv, "verify.twilio.com", "/RateLimits", url.Values{"UniqueName": {"before"}})
	v := start(t, srv, ana)
	code := srv.Code(t, ana)
	messages := fmt.Sprint(inbox(t, srv, ""))
	snapshot, before := srv.Snapshot(), srv.Now()
	srv.Advance(24 * time.Hour)
	start(t, srv, ana)
	other := srv.Snapshot()
	if got := check(t, srv, ana, code); got == "200 approved" {
		t.Error("the code was good after a day")
	}
	srv.Restore(snapshot)
	if got := srv.Now().Sub(before); got < -time.Minute || got > time.Hour {
		t.Errorf("time is %v after the snapshot", got)
	}
	if got := fmt.Sprint(inbox(t, srv, "")); got != messages {
		t.Errorf("messages\n%s\nbefore\n%s", got, messages)
	}
	if got := check(t, srv, ana, code); got != "200 approved" {
		t.Errorf("the code of %v: %s", v["sid"], got)
	}
	srv.Restore(other)
	if got := srv.Now().Sub(before); got < 24*time.Hour {
		t.Errorf("time is %v after the first snapshot", got)
	}
	if got := check(t, srv, ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("the newer code: %s", got)
	}
}

// A retry that was due after the snapshot is due again, and comes by itself where time runs.
func TestRetriesComeAfterARestore(t *testing.T) {
	srv := verifytest.Start(t)
	srv.SetRules(verifytest.Rule{To: "*", Carrier: "late", After: "1s"})
	start(t, srv, ana)
	snapshot := srv.Snapshot() // the message may have come, or not
	srv.Code(t, ana)
	srv.Restore(snapshot)
	if got := check(t, srv, ana, srv.Code(t, ana)); got != "200 approved" {
		t.Errorf("the code that came late again: %s", got)
	}
}

func TestSnapshotsOverHTTP(t *testing.T) {
	srv := verifytest.Start(t, verifytest.Seed(1))
	step := func(method, path, want string) {
		t.Helper()
		status, body := call(t, srv, method, path)
		if got := fmt.Sprint(status, " ", strings.TrimSpace(body)); !strings.HasPrefix(got, want) {
			t.Errorf("%s %s: %s, want %s", method, path, got, want)
		}
	}
	step("GET", "/dev/snapshots", `200 {"snapshots":[]}`)
	step("POST", "/dev/snapshots?name=signed-in", `200 {"name":"signed-in","now":"2026-01-01T12:00:00.000Z"}`)
	srv.Advance(time.Minute)
	step("POST", "/dev/snapshots?name=later", `200 {"name":"later","now":"2026-01-01T12:01:00.000Z"}`)
	step("GET", "/dev/snapshots", `200 {"snapshots":[{"name":"signed-in","now":"2026-01-01T12:00:00.000Z"},{"name":"later","now":"2026-01-01T12:01:00.000Z"}]}`)
	step("POST", "/dev/snapshots/signed-in/restore", `200 {"name":"signed-in","now":"2026-01-01T12:00:00.000Z"}`)
	srv.Advance(time.Hour)
	step("POST", "/dev/snapshots?name=signed-in", `200 {"name":"signed-in","now":"2026-01-01T13:00:00.000Z"}`) // in its place
	step("DELETE", "/dev/snapshots/later", "204")
	step("DELETE", "/dev/snapshots/later", `404 {"code":20404,"message":"there is no snapshot of this name"`)
	step("POST", "/dev/snapshots/later/restore", "404")
	for _, name := range []string{"", "a/b", "a%20b", strings.Repeat("x", 65)} {
		step("POST", "/dev/snapshots?name="+name, `400 {"code":60200,"message":"a snapshot has a name of at most 64`)
	}
	for n := range 19 {
		step("POST", fmt.Sprint("/dev/snapshots?name=n", n), "200")
	}
	step("POST", "/dev/snapshots?name=one-more", `400 {"code":60200,"message":"there are 20 snapshots already; delete one"`)
	step("POST", "/dev/snapshots?name=n7", "200")
	step("PUT", "/dev/snapshots", "405")
	var list struct{ Snapshots []struct{ Name string } }
	_, body := call(t, srv, "GET", "/dev/snapshots")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Snapshots) != 20 {
		t.Errorf("%d snapshots, %v", len(list.Snapshots), err)
	}
}

// BenchmarkRestore is of a world of a hundred verifications.
func BenchmarkRestore(b *testing.B) {
	srv := verifytest.Start(b)
	for n := range 100 {
		start(b, srv, fmt.Sprintf("+346123456%02d", n))
	}
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			status, _ := call(b, srv, "POST", "/dev/snapshots?name=bench")
			if status != 200 {
				b.Fatal(status)
			}
		}
	})
	snapshot := srv.Snapshot()
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			srv.Restore(snapshot)
		}
	})
	b.Run("reset", func(b *testing.B) {
		for b.Loop() {
			srv.Reset()
		}
	})
}

// What anybody on the machine may post to a server that asks for no password is bounded.
func TestALargeFormIsNotRead(t *testing.T) {
	srv := verifytest.Start(t)
	for padding, want := range map[int]int{1 << 10: http.StatusOK, 2 << 20: http.StatusBadRequest} {
		form := url.Values{"name": {"a"}, "padding": {strings.Repeat("x", padding)}}
		answer, err := http.PostForm(srv.URL+"/dev/snapshots", form)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("a form of %d bytes: %d, want %d", padding, answer.StatusCode, want)
		}
	}
}
