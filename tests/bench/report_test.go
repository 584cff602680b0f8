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

// Three rounds on a machine that grows slower: the ratio must not see it.
var slowing = []pair{
	{base: leg{rate: 1000, p50: 1, p99: 2, cpu: 50, rss: 10}, other: leg{rate: 500, p50: 2, p99: 4, cpu: 100, rss: 30}},
	{base: leg{rate: 500, p50: 2, p99: 4, cpu: 60, rss: 10}, other: leg{rate: 250, p50: 4, p99: 8, cpu: 120, rss: 57}},
	{base: leg{rate: 100, p50: 9, p99: 9, cpu: 70, rss: 10}, other: leg{rate: 50, p50: 18, p99: 18, cpu: 140, rss: 40}},
}

func TestTableHasBothSidesAndTheRatios(t *testing.T) {
	var out strings.Builder
	if err := printTable(&out, map[int][]pair{1: slowing, 16: slowing, 64: slowing}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if len(lines) != 7 {
		t.Fatalf("got %d lines, want 7:\n%s", len(lines), out.String())
	}
	if got, want := strings.Join(strings.Fields(lines[5]), " "), "64 bare 500 2.00 4.00 60 10.0"; got != want {
		t.Errorf("bare: got %q, want %q", got, want)
	}
	if got, want := strings.Join(strings.Fields(lines[6]), " "), "verifyd 250 4.00 8.00 120 40.0 0.50 2.00 2.00"; got != want {
		t.Errorf("verifyd: got %q, want %q", got, want)
	}
}

func TestGoalsSayWhetherTheyAreReached(t *testing.T) {
	var got []string
	for _, g := range goals(map[int][]pair{16: slowing, 64: slowing}, math.NaN(), 50) {
		got = append(got, g.String())
	}
	want := []string{
		"goal verif/s ÷ bare at 64 connections ≥ 0.33: 0.50, reached",
		"goal verif/s ÷ bare at 16 connections ≥ 0.25: 0.50, reached",
		"goal CPU ÷ bare at 64 connections ≤ 3.2: 2.00, reached",
		"goal RSS loaded, MB, the largest ≤ 56: 57.0, not reached",
		"goal verif/s with stored verifications ÷ with none ≥ 0.95: not measured",
		"goal cold start, ms ≤ 50: 50.0, reached",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
