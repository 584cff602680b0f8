package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, c := range []struct {
		values  []float64
		p, want float64
	}{
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{hundred, 0, 1},
		{[]float64{7}, 99, 7},
		{[]float64{1, 2, 3}, 50, 2},
	} {
		if got := percentile(c.values, c.p); got != c.want {
			t.Errorf("percentile %v of %d values: got %v, want %v", c.p, len(c.values), got, c.want)
		}
	}
	if got := percentile(nil, 50); !math.IsNaN(got) {
		t.Errorf("percentile of nothing: got %v, want NaN", got)
	}
}

func TestMedianLeavesItsInputAlone(t *testing.T) {
	values := []float64{9, 1, 4, 2}
	if got := median(values); got != 3 {
		t.Errorf("median of %v: got %v, want 3", values, got)
	}
	if want := []float64{9, 1, 4, 2}; !slices.Equal(values, want) {
		t.Errorf("median sorted its input: %v", values)
	}
}

// slowing is three rounds on a machine that grows slower: a ratio must not see it.
func slowing() results {
	r := results{}
	for _, connections := range []int{16, 64} {
		for _, l := range []leg{
			{rate: 1000, p50: 1, p99: 2, cpu: 50, rss: 10},
			{rate: 500, p50: 2, p99: 4, cpu: 60, rss: 10},
			{rate: 100, p50: 9, p99: 9, cpu: 70, rss: 10},
		} {
			r.add("bare", connections, l)
		}
		for _, l := range []leg{
			{rate: 500, p50: 2, p99: 4, cpu: 150, rss: 30},
			{rate: 250, p50: 4, p99: 8, cpu: 180, rss: 57},
			{rate: 50, p50: 18, p99: 18, cpu: 210, rss: 40},
		} {
			r.add("sqlite", connections, l)
		}
	}
	for _, l := range []leg{
		{rate: 375, p50: 2, p99: 6, cpu: 300, database: 100, rss: 30},
		{rate: 175, p50: 4, p99: 13, cpu: 360, database: 110, rss: 50},
		{rate: 50, p50: 18, p99: 18, cpu: 420, database: 120, rss: 40},
	} {
		r.add("postgres", 64, l)
	}
	return r
}

func TestRatioIsTheMedianOfTheRoundsRatios(t *testing.T) {
	r := slowing()
	for _, c := range []struct {
		side, base  string
		connections int
		figure      func(leg) float64
		want        float64
	}{
		{"sqlite", "bare", 64, rate, 0.5},
		{"sqlite", "bare", 16, p99, 2},
		{"postgres", "sqlite", 64, rate, 0.75},
		{"postgres", "sqlite", 64, cpu, 2},
	} {
		if got := r.ratio(c.side, c.base, c.connections, c.figure); got != c.want {
			t.Errorf("%s ÷ %s at %d: got %v, want %v", c.side, c.base, c.connections, got, c.want)
		}
	}
	for _, missing := range [][2]string{{"postgres", "nothing"}, {"nothing", "bare"}} {
		if got := r.ratio(missing[0], missing[1], 64, rate); !math.IsNaN(got) {
			t.Errorf("%s ÷ %s: got %v, want NaN", missing[0], missing[1], got)
		}
	}
	if got := r.ratio("postgres", "sqlite", 16, rate); !math.IsNaN(got) {
		t.Errorf("where one side has no legs: got %v, want NaN", got)
	}
}

func TestLargestLooksAtEveryLeg(t *testing.T) {
	r := slowing()
	r.add("sqlite", 1, leg{rss: 60})
	if got := r.largest("sqlite", rss); got != 60 {
		t.Errorf("got %v, want 60", got)
	}
	if got := r.largest("stored", rss); !math.IsNaN(got) {
		t.Errorf("of no legs: got %v, want NaN", got)
	}
}

func TestTableHasEverySideAndItsRatios(t *testing.T) {
	var out strings.Builder
	sides := (&bench{}).allSides()
	if err := printTable(&out, sides, []int{1, 16, 64}, slowing()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(strings.TrimRight(out.String(), "\n"), "\n") {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"connections verif/s p50 ms p99 ms CPU µs of it database RSS MB ÷ verif/s p99 CPU",
		"16 bare 500 2.00 4.00 60 0 10.0",
		"16 sqlite 250 4.00 8.00 180 0 40.0 bare 0.50 2.00 3.00",
		"64 bare 500 2.00 4.00 60 0 10.0",
		"64 sqlite 250 4.00 8.00 180 0 40.0 bare 0.50 2.00 3.00",
		"64 postgres 175 4.00 13.00 360 110 40.0 sqlite 0.75 1.50 2.00",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTimesAreMediansOfTheRequests(t *testing.T) {
	var out strings.Builder
	if err := printTimes(&out, []timing{
		{what: "newest page", found: 50, ms: []float64{9, 1, 2}},
		{what: "summary", summary: true, found: 1_000_000, ms: []float64{3}},
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if want := []string{"attempts median ms slowest ms", "newest page 50 2.00 9.00", "summary 1000000 3.00 3.00"}; !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := slowest(nil, false); !math.IsNaN(got) {
		t.Errorf("the slowest of nothing: got %v, want NaN", got)
	}
}

func TestGoalsSayWhetherTheyAreReached(t *testing.T) {
	var got []string
	asked := []timing{{what: "newest", ms: []float64{1, 9}}, {what: "rare", ms: []float64{4, 4}}, {what: "sum", summary: true, ms: []float64{51}}}
	challenged := results{
		createCall: {64: {{rate: 100}, {rate: 200}, {rate: 100}}},
		totpCall:   {64: {{rate: 90}, {rate: 180}, {rate: 80}}},
		pushCall:   {64: {{rate: 70}, {rate: 150}, {rate: 79}}},
	}
	for _, g := range goals(slowing(), challenged, asked, cold{live: 20, ready: 30, bare: 5, idle: 32}, laptop{kept: added{1, 0.25}, fresh: added{2, 1.5}, own: 100, first: math.NaN(), all: 5001}) {
		got = append(got, g.String())
	}
	want := []string{
		"goal verif/s ÷ bare at 64 connections: 0.50, ≥ 0.33 reached, ≥ 0.42 reached",
		"goal verif/s ÷ bare at 16 connections: 0.50, ≥ 0.25 reached, ≥ 0.33 reached",
		"goal CPU ÷ bare at 64 connections: 3.00, ≤ 3.2 reached, ≤ 2.5 not reached",
		"goal p99 ÷ bare at 16 connections: 2.00, ≤ 1 not reached",
		"goal RSS loaded, MB, the largest: 57.0, ≤ 56 not reached",
		"goal RSS idle, MB: 32.0, ≤ 32 reached",
		"goal cold start, ms: 30.0, ≤ 50 reached, ≤ 25 not reached",
		"goal verif/s with rate limits ÷ without, at 64: not measured",
		"goal verif/s with stored verifications ÷ with none, at 64: not measured",
		"goal p99 while verifications expire ÷ while none does, at 64: not measured",
		"goal PostgreSQL ÷ SQLite, verif/s at 64: 0.75, ≥ 0.7 reached, ≥ 0.8 not reached",
		"goal PostgreSQL ÷ SQLite, p99 at 64: 1.50, ≤ 1.5 reached",
		"goal PostgreSQL 0.5 ms away ÷ beside, verif/s at 64: not measured",
		"goal challenges of apps, with the code ÷ verifications created, at 64: 0.90, ≥ 0.8 reached",
		"goal challenges of handsets ÷ verifications created, at 64: 0.75, ≥ 0.8 not reached",
		"goal page of attempts, ms, the slowest kind: 5.0, ≤ 5 reached",
		"goal summary of a month of attempts, ms: 51.0, ≤ 50 not reached",
		"goal the proxy of verifyd run adds to a call, ms: 0.25, ≤ 1 reached",
		"goal the proxy of verifyd run adds to a call on a new connection, ms: 1.50, ≤ 1 not reached",
		"goal verifyd run beside its command, ms: 100, ≤ 100 reached",
		"goal verifyd run -- node to the first approved verification, ms: not measured",
		"goal verifyd run -- node, a hundred verifications, ms: 5001, ≤ 5000 not reached",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
