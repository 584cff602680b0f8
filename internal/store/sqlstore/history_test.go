package sqlstore

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/ratelimit"
	"github.com/verifyd/verifyd/internal/verify"
)

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func TestHistory(t *testing.T) {
	for text, h := range map[string]verify.History{
		"":                {},
		"1000 2 0":        {Starts: ratelimit.Window{Start: at(1000), Count: 2}},
		"0 0 1 5000":      {Guesses: verify.Guesses{Failed: 1, Times: []time.Time{at(5000)}}},
		"1 3 101 2 3 400": {Starts: ratelimit.Window{Start: at(1), Count: 3}, Guesses: verify.Guesses{Failed: 101, Times: []time.Time{at(2), at(3), at(400)}}},
	} {
		if got := formatHistory(h); got != text {
			t.Errorf("%+v is written %q, want %q", h, got, text)
		}
		got, err := parseHistory(text)
		if diff := cmp.Diff(h, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
	for _, bad := range []string{"1", "1 2", "a b c", "1 2 3 ", "1  2 3", "99999999999999999999 1 1"} {
		if h, err := parseHistory(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, h)
		}
	}
}

func TestMeters(t *testing.T) {
	windows := []verify.MeterWindow{
		{Interval: time.Minute, Window: ratelimit.Window{Start: at(1_764_000_000_000), Count: 3}},
		{Interval: time.Hour, Window: ratelimit.Window{Start: at(1_764_000_000_001), Count: 4}},
	}
	log := []time.Time{at(1_764_000_000_000), at(1_764_000_000_000), at(1_764_000_001_000)}
	for text, m := range map[string]verify.Meter{
		"":                             {},
		"1o/midc1z40/3 2s0/midc1z41/4": {Windows: windows},
		"=midc1z40,0,rs":               {Log: log},
		"1o/midc1z40/3 =midc1z40":      {Windows: windows[:1], Log: log[:1]},
	} {
		if got := formatMeter(&m); got != text {
			t.Errorf("written %q, want %q", got, text)
		}
		var got verify.Meter
		err := parseMeter(text, &got)
		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
	for _, bad := range []string{"60", "60/1", "60/1/2/3", "60/-/1", "//", "=", "=1,", "=1,_", "1o/1/3 ="} {
		var m verify.Meter
		if err := parseMeter(bad, &m); err == nil {
			t.Errorf("%q was read as %+v", bad, m)
		}
	}
}

func FuzzHistory(f *testing.F) {
	f.Add("1764000000000 3 101 2 3 400")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHistory(text)
		if err != nil {
			return
		}
		again, err := parseHistory(formatHistory(h))
		if diff := cmp.Diff(h, again); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	})
}

func FuzzSends(f *testing.F) {
	f.Add("1764000000000/sms/VL00000000000000000000000000000001 1764000030000/call/VL2")
	f.Add("1/email/")
	f.Add("//")
	f.Fuzz(func(t *testing.T, text string) {
		sends, err := parseSends(text)
		if err != nil {
			return
		}
		again, err := parseSends(formatSends(sends))
		if diff := cmp.Diff(sends, again); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	})
}

func FuzzMeters(f *testing.F) {
	f.Add("1o/midc1z40/3 2s0/midc1z41/4 =midc1z40,rs,1jk")
	f.Fuzz(func(t *testing.T, text string) {
		var m, again verify.Meter
		if parseMeter(text, &m) != nil {
			return
		}
		if err := parseMeter(formatMeter(&m), &again); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
