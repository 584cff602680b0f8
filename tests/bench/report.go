package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// results are the legs of a side at a number of connections, one for each round.
type results map[string]map[int][]leg

func (r results) add(side string, connections int, l leg) {
	if r[side] == nil {
		r[side] = map[int][]leg{}
	}
	r[side][connections] = append(r[side][connections], l)
}

// The figures of a leg.
func rate(l leg) float64     { return l.rate }
func p50(l leg) float64      { return l.p50 }
func p99(l leg) float64      { return l.p99 }
func cpu(l leg) float64      { return l.cpu }
func database(l leg) float64 { return l.database }
func rss(l leg) float64      { return l.rss }

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

// ratio is the median of the rounds' ratios, NaN if a side has no legs there.
func (r results) ratio(side, base string, connections int, figure func(leg) float64) float64 {
	legs, bases := r[side][connections], r[base][connections]
	var values []float64
	for round := range min(len(legs), len(bases)) {
		values = append(values, figure(legs[round])/figure(bases[round]))
	}
	return median(values)
}

// median is that of a figure over the rounds.
func (r results) median(side string, connections int, figure func(leg) float64) float64 {
	var values []float64
	for _, l := range r[side][connections] {
		values = append(values, figure(l))
	}
	return median(values)
}

// largest is that of a figure over all legs of a side.
func (r results) largest(side string, figure func(leg) float64) float64 {
	found := math.NaN()
	for _, legs := range r[side] {
		for _, l := range legs {
			if value := figure(l); !(found >= value) { // true of NaN
				found = value
			}
		}
	}
	return found
}

// printTable prints a line for each side under each load, with its ratios to the side that it is
// compared with.
func printTable(out io.Writer, sides []side, connections []int, r results) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "connections\t\tverif/s\tp50 ms\tp99 ms\tCPU µs\tof it database\tRSS MB\t÷\tverif/s\tp99\tCPU\t")
	for _, c := range connections {
		for _, s := range sides {
			if len(r[s.name][c]) == 0 {
				continue
			}
			of := func(figure func(leg) float64) float64 { return r.median(s.name, c, figure) }
			fmt.Fprintf(table, "%d\t%s\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%.1f\t", c, s.name, of(rate), of(p50), of(p99), of(cpu), of(database), of(rss))
			if len(r[s.base][c]) > 0 {
				to := func(figure func(leg) float64) float64 { return r.ratio(s.name, s.base, c, figure) }
				fmt.Fprintf(table, "%s\t%.2f\t%.2f\t%.2f\t\n", s.base, to(rate), to(p99), to(cpu))
			} else {
				fmt.Fprint(table, "\t\t\t\t\n")
			}
		}
	}
	return table.Flush()
}

// printTimes prints a line for each kind of request.
func printTimes(out io.Writer, asked []timing) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tattempts\tmedian ms\tslowest ms\t")
	for _, t := range asked {
		fmt.Fprintf(table, "%s\t%d\t%.2f\t%.2f\t\n", t.what, t.found, median(t.ms), slices.Max(t.ms))
	}
	return table.Flush()
}

// slowest is the largest median of the lists, or of the summaries, NaN if none was asked for.
func slowest(asked []timing, summary bool) float64 {
	found := math.NaN()
	for _, t := range asked {
		if value := median(t.ms); t.summary == summary && !(found >= value) { // true of NaN
			found = value
		}
	}
	return found
}

// goal is a figure and its limits: the one that must hold, and one that is wanted.
type goal struct {
	what   string
	got    float64 // NaN if it was not measured
	digits int     // after the point
	sign   string  // "≥" or "≤"
	limits []float64
}

func (g goal) String() string {
	if math.IsNaN(g.got) {
		return fmt.Sprintf("goal %s: not measured", g.what)
	}
	text := fmt.Sprintf("goal %s: %.*f", g.what, g.digits, g.got)
	for _, limit := range g.limits {
		result := "not reached"
		if g.sign == "≥" && g.got >= limit || g.sign == "≤" && g.got <= limit {
			result = "reached"
		}
		text += fmt.Sprintf(", %s %v %s", g.sign, limit, result)
	}
	return text
}

// goals are what a release must not fall behind. The rates of one machine say nothing, so most
// are ratios.
func goals(r, challenged results, asked []timing, c cold, run laptop) []goal {
	return []goal{
		{"verif/s ÷ bare at 64 connections", r.ratio("sqlite", "bare", 64, rate), 2, "≥", []float64{0.33, 0.42}},
		{"verif/s ÷ bare at 16 connections", r.ratio("sqlite", "bare", 16, rate), 2, "≥", []float64{0.25, 0.33}},
		{"CPU ÷ bare at 64 connections", r.ratio("sqlite", "bare", 64, cpu), 2, "≤", []float64{3.2, 2.5}},
		{"p99 ÷ bare at 16 connections", r.ratio("sqlite", "bare", 16, p99), 2, "≤", []float64{1}},
		{"RSS loaded, MB, the largest", r.largest("sqlite", rss), 1, "≤", []float64{56}},
		{"RSS idle, MB", c.idle, 1, "≤", []float64{32}},
		{"cold start, ms", c.ready, 1, "≤", []float64{50, 25}},
		{"verif/s with rate limits ÷ without, at 64", r.ratio("limited", "sqlite", 64, rate), 2, "≥", []float64{0.85}},
		{"verif/s with stored verifications ÷ with none, at 64", r.ratio("stored", "sqlite", 64, rate), 2, "≥", []float64{0.95}},
		{"p99 while verifications expire ÷ while none does, at 64", r.ratio("expiring", "sqlite", 64, p99), 2, "≤", []float64{1.1}},
		{"PostgreSQL ÷ SQLite, verif/s at 64", r.ratio("postgres", "sqlite", 64, rate), 2, "≥", []float64{0.7, 0.8}},
		{"PostgreSQL ÷ SQLite, p99 at 64", r.ratio("postgres", "sqlite", 64, p99), 2, "≤", []float64{1.5}},
		{"PostgreSQL 0.5 ms away ÷ beside, verif/s at 64", r.ratio("delayed", "postgres", 64, rate), 2, "≥", []float64{0.5}},
		{"challenges of apps, with the code ÷ verifications created, at 64", challenged.ratio(totpCall, createCall, 64, rate), 2, "≥", []float64{0.8}},
		{"challenges of handsets ÷ verifications created, at 64", challenged.ratio(pushCall, createCall, 64, rate), 2, "≥", []float64{0.8}},
		{"page of attempts, ms, the slowest kind", slowest(asked, false), 1, "≤", []float64{5}},
		{"summary of a month of attempts, ms", slowest(asked, true), 1, "≤", []float64{50}},
		{"the proxy of verifyd run adds to a call, ms", run.kept.More, 2, "≤", []float64{1}},
		{"the proxy of verifyd run adds to a call on a new connection, ms", run.fresh.More, 2, "≤", []float64{1}},
		{"verifyd run beside its command, ms", run.own, 0, "≤", []float64{100}},
		{"verifyd run -- node to the first approved verification, ms", run.first, 0, "≤", []float64{2000}},
		{"verifyd run -- node, a hundred verifications, ms", run.all, 0, "≤", []float64{5000}},
	}
}
