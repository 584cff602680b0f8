package sip

import (
	"testing"
	"time"
)

func TestCausesAreFoundInReasons(t *testing.T) {
	for reason, want := range map[string]int{
		`Q.850;cause=17;text="User busy"`: 17, "q.850 ; cause = 1": 1, `Q.850;text="cause=9";cause=16`: 16,
		"SIP;cause=200": 0, "Q.850": 0, "Q.850;cause=": 0, "Q.850;cause=1000": 0, "": 0,
	} {
		if got := readCause(reason); got != want {
			t.Errorf("%q: got %d, want %d", reason, got, want)
		}
	}
}

func TestWaitsAreRead(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "5 (overload);duration=60": 5 * time.Second, "0": 0, "": 0, "soon": 0, "-1": 0,
		"99999999": maxRetryAfter, "99999999999999999999": 0,
	} {
		if got := readRetryAfter(value); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func FuzzReadCauseAndWait(f *testing.F) {
	f.Add(`Q.850;cause=17;text="User busy"`)
	f.Add("120 (later)")
	f.Fuzz(func(t *testing.T, value string) {
		if got := readCause(value); got < 0 || got > 999 {
			t.Errorf("%q: cause %d", value, got)
		}
		if got := readRetryAfter(value); got < 0 || got > maxRetryAfter {
			t.Errorf("%q: wait %v", value, got)
		}
	})
}

func TestABusyTelephoneIsLeftAlone(t *testing.T) {
	if got := (final{status: 486}).wait(); got != busyWait {
		t.Errorf("486: %v", got)
	}
	if got := (final{status: 486, retryAfter: time.Minute}).wait(); got != time.Minute {
		t.Errorf("486 with Retry-After: %v", got)
	}
	if got := (final{status: 480}).wait(); got != 0 {
		t.Errorf("480: %v", got)
	}
}
