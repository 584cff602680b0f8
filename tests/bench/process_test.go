package main

import (
	"testing"
	"time"
)

func TestStatIsReadPastAnyName(t *testing.T) {
	// From proc_pid_stat(5): pid (comm) state ppid … utime stime cutime cstime priority …
	const line = "4242 (a (b) c) S 17 4242 4242 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 5 0 99"
	got, err := parseStat(line)
	want := stat{pid: 4242, parent: 17, used: 2 * time.Second, ended: 500 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, broken := range []string{"", "1 (x", "1 (x) S 1 2", "x (x) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0", ")("} {
		if got, err := parseStat(broken); err == nil {
			t.Errorf("%q: got %+v, want an error", broken, got)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("4242 (a (b) c) S 17 4242 4242 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 5 0 99")
	f.Add(")(")
	f.Fuzz(func(t *testing.T, line string) {
		parseStat(line) // it must not panic, whatever the kernel writes
	})
}

func TestRSSIsInMegabytes(t *testing.T) {
	if got, err := parseRSS("Name:\tx\nVmRSS:\t   51712 kB\nRssAnon:\t 7 kB\n"); err != nil || got != 50.5 {
		t.Errorf("got %v, %v; want 50.5", got, err)
	}
	for _, broken := range []string{"", "VmRSS:\t x kB"} {
		if got, err := parseRSS(broken); err == nil {
			t.Errorf("%q: got %v, want an error", broken, got)
		}
	}
}
