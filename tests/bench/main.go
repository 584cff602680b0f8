// Bench measures a verifyd dev with its defaults, and prints one table and which goals are met. It
// is for whoever changes the hot path; `make bench` runs all of it, and
//
//	go run ./tests/bench -legs bare,sqlite -connections 16 -rounds 1
//
// a part. A leg is one server under one load for a while:
//
//	bare      two net/http handlers that read Basic auth, parse the form and answer a constant
//	sqlite    verifyd on a new data folder
//	limited   the same, with two rate limits of two buckets each, and a value for both in every start
//	stored    verifyd on a data folder with many approved verifications
//	expiring  verifyd while the time of many verifications that nobody checked is up
//	postgres  verifyd over a PostgreSQL of the bench's own, on this machine
//	delayed   the same, with 0.25 ms each way (0.5 ms a round trip) between verifyd and PostgreSQL
//	express   a peer (peers/README.md); only if it is named
//	factors   challenges of apps and handsets, in turns with the creates of verifications
//	smpp      starts whose texts go over one SMPP bind, and to a carrier that takes one a second
//	loss      a steady stream of starts while one of two carriers is lost in every way
//	attempts  lists and summaries of a month of stored attempts, no load
//	cold      starts of verifyd and of bare, no load
//	proxy     calls through the proxy of verifyd run, and a program of Node's in it, no load
//
// Rates depend on the machine and its other guests, so every figure that counts is a ratio of two
// legs. All servers run from the start, as child processes. A round takes every leg once, the next
// one backwards; a ratio is the median of the rounds' ratios, because the legs of a round met the
// same weather. Bare, sqlite, postgres and express take every number of connections, the others
// the largest.
//
// One verification is one create plus one check, both answered. CPU is that of the server and of
// its database, with the work that answers left behind; RSS is the server's. While verifications
// expire, the server is a new one in every round, its rows have not expired before, and the line
// below the table says how many had when the leg ended: at 100 % the leg was longer than the expiry,
// and wants a larger -expiring.
//
// Lists and summaries have a table of their own. Each is asked for again and again, in turns with the
// others and on a new connection every time. A filter that passes over much gives short pages
// (docs/compatibility.md), so the table says how many attempts were on the page.
//
// It reports and does not judge: the exit code is 0 whatever the goals say, and 1 only if something
// could not be measured. The data lie in a temporary folder (TMPDIR): on a file system in memory
// the syncs are free and the rates say nothing. It reads /proc, so it runs on Linux alone.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/verifyd/verifyd/internal/store/postgres/pgtest"
)

// bench is what one run was asked for, and what its sides share.
type bench struct {
	binary           string
	dir              string // temporary
	rounds           int
	leg, warmup      time.Duration
	stored, expiring int // verifications
	attempts         int
	factors          int // people with an app and a handset
	connections      []int
	legs             []string

	database *pgtest.Server // nil until a side needs it
	expired  []float64      // shares, for each leg of that side
}

func main() {
	binary := flag.String("binary", "bin/verifyd", "the verifyd `program` to measure")
	legs := flag.String("legs", usualLegs, "the `legs` to run; express is the one more that there is")
	connections := flag.String("connections", "1,16,64", "the `numbers` of connections to try, each in every round")
	rounds := flag.Int("rounds", 3, "how often every leg takes its turn")
	seconds := flag.Float64("seconds", 3, "how long one leg lasts")
	warmup := flag.Float64("warmup", 5, "how many `seconds` of load every server gets before the first round")
	stored := flag.Int("stored", 1_000_000, "the `number` of verifications in the data folder of the leg stored")
	attempts := flag.Int("attempts", 1_000_000, "the `number` of attempts in the data folder of the leg attempts")
	factors := flag.Int("factors", 100_000, "the `number` of people in the leg factors, each of whom logs in once with an app")
	expiring := flag.Int("expiring", 1_000_000, "the `number` of verifications whose time is up in the leg expiring")
	delay := flag.String("serve-delay", "", "be the network in front of this `address` (the bench starts itself so)")
	direct := flag.String("proxy-calls", "", "call verifyd at this `address` and through the proxy (the bench starts itself so)")
	flag.Parse()

	err := func() error {
		if *direct != "" {
			return callBothWays(context.Background(), *direct)
		}
		if *delay != "" {
			return serveDelay(*delay)
		}
		counts, err := parseCounts(*connections)
		switch {
		case err != nil:
			return fmt.Errorf("-connections: %w", err)
		case *rounds < 1 || *seconds <= 0 || *warmup <= 0 || *stored < 1 || *expiring < 1 || *attempts < 1 || *factors < 1 || flag.NArg() > 0:
			return errors.New("numbers must be greater than 0, and there are no arguments; -help lists the flags")
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		b := bench{
			binary: *binary, rounds: *rounds, stored: *stored, expiring: *expiring, attempts: *attempts, factors: *factors,
			leg: inSeconds(*seconds), warmup: inSeconds(*warmup), connections: counts, legs: strings.Split(*legs, ","),
		}
		var report bytes.Buffer
		if err := b.run(ctx, &report); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			return err
		}
		// Only now is everything put away, so a reader that has had enough (head) ends us cleanly.
		_, err = report.WriteTo(os.Stdout)
		return err
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func inSeconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// parseCounts reads numbers of connections, "16,64", and returns them in ascending order.
func parseCounts(text string) ([]int, error) {
	var counts []int
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 || n > 10_000 {
			return nil, fmt.Errorf("%q is no number from 1 to 10000", field)
		}
		counts = append(counts, n)
	}
	slices.Sort(counts)
	return slices.Compact(counts), nil
}

// run measures everything that was asked for, and reports. What it started has ended and its folder
// is gone when it returns.
func (b *bench) run(ctx context.Context, report io.Writer) (err error) {
	sides, err := b.chooseSides(b.legs)
	if err != nil {
		return fmt.Errorf("-legs: %w", err)
	}
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return err
	}
	if _, err := os.Stat(b.binary); err != nil {
		return fmt.Errorf("%w; make it with `make build`", err)
	}
	if b.dir, err = os.MkdirTemp("", "verifyd-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	defer func() {
		if b.database != nil {
			err = errors.Join(err, b.database.Close())
		}
	}()

	warnOfBusyMachine(os.Stderr)
	found, err := b.measureSides(ctx, sides)
	if err != nil {
		return err
	}
	var challenged results
	if slices.Contains(b.legs, factorsLeg) {
		if challenged, err = b.measureFactors(ctx); err != nil {
			return fmt.Errorf("%s: %w", factorsLeg, err)
		}
	}
	sent := noCarriers()
	if slices.Contains(b.legs, smppLeg) {
		if err = b.measureSMPP(ctx, &sent); err != nil {
			return fmt.Errorf("%s: %w", smppLeg, err)
		}
	}
	if slices.Contains(b.legs, lossLeg) {
		if sent.loss, err = b.measureLoss(ctx); err != nil {
			return fmt.Errorf("%s: %w", lossLeg, err)
		}
	}
	var asked []timing
	if slices.Contains(b.legs, attemptsLeg) {
		if asked, err = b.timeAttempts(ctx); err != nil {
			return fmt.Errorf("%s: %w", attemptsLeg, err)
		}
	}
	starts := notStarted()
	if slices.Contains(b.legs, coldLeg) {
		if starts, err = b.coldStart(ctx); err != nil {
			return err
		}
	}
	run := noLaptop()
	if slices.Contains(b.legs, proxyLeg) {
		if run, err = b.measureProxy(ctx); err != nil {
			return fmt.Errorf("%s: %w", proxyLeg, err)
		}
	}
	return b.print(report, sides, found, challenged, sent, asked, starts, run)
}

// print is the whole report.
func (b *bench) print(out io.Writer, sides []side, found, challenged results, sent carriers, asked []timing, starts cold, run laptop) error {
	if len(found) > 0 {
		if err := printTable(out, sides, b.connections, found); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	if len(challenged) > 0 {
		if err := printFactors(out, slices.Max(b.connections), challenged); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	printCarriers(out, sent)
	if len(asked) > 0 {
		if err := printTimes(out, asked); err != nil {
			return err
		}
		fmt.Fprintf(out, "\nattempts: %d were stored, over 30 days; the median and the slowest of %d requests\n", b.attempts, asks)
	}
	if found["stored"] != nil {
		fmt.Fprintf(out, "stored: %d verifications were there before\n", b.stored)
	}
	if len(b.expired) > 0 {
		fmt.Fprintf(out, "expiring: of %d verifications that were due, %.0f %% had expired when a leg ended (the most: %.0f %%)\n",
			b.expiring, 100*median(b.expired), 100*slices.Max(b.expired))
	}
	if !math.IsNaN(starts.ready) {
		fmt.Fprintf(out, "cold: GET /livez %.1f ms, then GET /v2/Services %.1f ms, %.1f times bare's %.1f ms (medians of %d, files in memory)\n",
			starts.live, starts.ready, starts.ready/starts.bare, starts.bare, coldStarts)
	}
	if !math.IsNaN(run.own) {
		printLaptop(out, run)
	}
	fmt.Fprintln(out)
	for _, g := range slices.Concat(goals(found, challenged, asked, starts, run), sent.goals()) {
		if _, err := fmt.Fprintln(out, g); err != nil {
			return err
		}
	}
	return nil
}

// say tells whoever waits what goes on.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// warnOfBusyMachine says so when other programs take the cores: all sides need one to themselves,
// and what starves them does not starve them alike.
func warnOfBusyMachine(out io.Writer) {
	text, _ := os.ReadFile("/proc/loadavg") // without it there is nothing to say
	var load float64
	if _, err := fmt.Sscan(string(text), &load); err == nil && load > float64(runtime.NumCPU())/2 {
		fmt.Fprintf(out, "bench: the load average is %.1f on %d cores before anything was started; do not trust what follows\n", load, runtime.NumCPU())
	}
}
