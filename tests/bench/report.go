package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// pair is two servers under the same load in the same round.
type pair struct{ base, other leg }

// The figures of a leg.
func rate(l leg) float64 { return l.rate }
func p50(l leg) float64  { return l.p50 }
func p99(l leg) float64  { return l.p99 }
func cpu(l leg) float64  { return l.cpu }
func rss(l leg) float64  { return l.rss }

// percentile is the nearest rank: the smallest value that p percent do not exceed. The values are
// sorted; there is none of no values.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// ratio is the median of the rounds' ratios.
func ratio(pairs []pair, figure func(leg) float64) float64 {
	var values []float64
	for _, p := range pairs {
		values = append(values, figure(p.other)/figure(p.base))
	}
	return median(values)
}

// printTable prints two lines for each number of connections: the bare pair, and verifyd with its
// ratios.
func printTable(out io.Writer, pairs map[int][]pair) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "connections\t\tverif/s\tp50 ms\tp99 ms\tCPU µs\tRSS MB\tverif/s ÷ bare\tCPU ÷ bare\tp99 ÷ bare\t")
	for _, connections := range connectionCounts {
		rounds := pairs[connections]
		bare := func(p pair) leg { return p.base }
		verifyd := func(p pair) leg { return p.other }
		fmt.Fprintf(table, "%d\tbare\t%s\t\t\t\t\n", connections, figures(rounds, bare))
		fmt.Fprintf(table, "\tverifyd\t%s\t%.2f\t%.2f\t%.2f\t\n", figures(rounds, verifyd),
			ratio(rounds, rate), ratio(rounds, cpu), ratio(rounds, p99))
	}
	return table.Flush()
}

// figures are the medians of one side, as cells.
func figures(pairs []pair, side func(pair) leg) string {
	of := func(figure func(leg) float64) float64 {
		var values []float64
		for _, p := range pairs {
			values = append(values, figure(side(p)))
		}
		return median(values)
	}
	return fmt.Sprintf("%.0f\t%.2f\t%.2f\t%.0f\t%.1f", of(rate), of(p50), of(p99), of(cpu), of(rss))
}

// goal is a figure and its limit.
type goal struct {
	what   string
	got    float64 // NaN if it was not measured
	sign   string  // "≥" or "≤"
	limit  float64
	digits int // after the point
}

func (g goal) String() string {
	result := "not reached"
	switch {
	case math.IsNaN(g.got):
		return fmt.Sprintf("goal %s %s %v: not measured", g.what, g.sign, g.limit)
	case g.sign == "≥" && g.got >= g.limit, g.sign == "≤" && g.got <= g.limit:
		result = "reached"
	}
	return fmt.Sprintf("goal %s %s %v: %.*f, %s", g.what, g.sign, g.limit, g.digits, g.got, result)
}

// goals are what a release must not fall behind.
func goals(pairs map[int][]pair, flat, coldStart float64) []goal {
	loaded := math.NaN()
	for _, rounds := range pairs {
		for _, p := range rounds {
			if !(loaded >= p.other.rss) { // true of NaN
				loaded = p.other.rss
			}
		}
	}
	return []goal{
		{"verif/s ÷ bare at 64 connections", ratio(pairs[64], rate), "≥", 0.33, 2},
		{"verif/s ÷ bare at 16 connections", ratio(pairs[16], rate), "≥", 0.25, 2},
		{"CPU ÷ bare at 64 connections", ratio(pairs[64], cpu), "≤", 3.2, 2},
		{"RSS loaded, MB, the largest", loaded, "≤", 56, 1},
		{"verif/s with stored verifications ÷ with none", flat, "≥", 0.95, 2},
		{"cold start, ms", coldStart, "≤", 50, 1},
	}
}
