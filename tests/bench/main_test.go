package main

import (
	"slices"
	"strings"
	"testing"
)

func TestCountsAreReadInAscendingOrder(t *testing.T) {
	for text, want := range map[string][]int{
		"64":          {64},
		"64, 1,16,64": {1, 16, 64},
	} {
		if got, err := parseCounts(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "16,", "16;64", "10001", "99999999999999999999"} {
		if got, err := parseCounts(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func FuzzParseCounts(f *testing.F) {
	for _, text := range []string{"1,16,64", " 5", "", ",", "+7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		counts, err := parseCounts(text)
		if err != nil {
			return
		}
		if len(counts) == 0 || counts[0] < 1 || !slices.IsSorted(counts) || len(slices.Compact(slices.Clone(counts))) != len(counts) {
			t.Errorf("%q: got %v, want different numbers from 1 on, in order", text, counts)
		}
	})
}

func TestLegsAreChosenByName(t *testing.T) {
	names := func(legs string) (names []string) {
		t.Helper()
		sides, err := (&bench{}).chooseSides(strings.Split(legs, ","))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sides {
			names = append(names, s.name)
		}
		return names
	}
	// The order is that of a round, not that of the flag.
	if got, want := names("sqlite,attempts,bare,cold"), []string{"bare", "sqlite"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := names(usualLegs), []string{"bare", "sqlite", "limited", "stored", "expiring", "postgres", "delayed"}; !slices.Equal(got, want) {
		t.Errorf("the usual legs: got %v, want %v", got, want)
	}
	if sides, err := (&bench{}).chooseSides([]string{"bare", "sqllite"}); err == nil || !strings.Contains(err.Error(), `"sqllite"`) {
		t.Errorf("a leg that does not exist: got %v, %v; want an error that names it", sides, err)
	}
}

func TestEverySideIsComparedWithOneThereIs(t *testing.T) {
	all := (&bench{}).allSides()
	for _, s := range all {
		known := slices.ContainsFunc(all, func(base side) bool { return base.name == s.base && (base.every || !s.every) })
		if s.base != "" && !known {
			t.Errorf("%s is compared with %q, which does not take its loads", s.name, s.base)
		}
	}
}
