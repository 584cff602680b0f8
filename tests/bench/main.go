// Bench compares a verifyd dev with its defaults against the least that a Go server can do for the
// same two requests, and prints one table. It is for whoever changes the hot path; `make bench`
// runs it.
//
// Rates depend on the machine and its other guests, so every figure that counts is a ratio against
// the bare pair: two net/http handlers that read Basic auth, parse the form and answer a constant.
// Both run as child processes and take turns, round by round; a ratio is the median of the rounds'
// ratios, because the two legs of a round met the same weather.
//
// One verification is one create plus one check, both answered. It reports and does not judge:
// the exit code is 0 whatever the goals say, and 1 only if something could not be measured. The
// data lie in a temporary folder (TMPDIR): on a file system in memory the syncs are free and the
// rates say nothing. It reads /proc, so it runs on Linux alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// connectionCounts are the loads that are tried, each in every round.
var connectionCounts = []int{1, 16, 64}

// bench is what one run was asked for.
type bench struct {
	binary string
	dir    string // temporary
	rounds int
	leg    time.Duration
	stored int
}

func main() {
	binary := flag.String("binary", "bin/verifyd", "the verifyd `program` to measure")
	rounds := flag.Int("rounds", 3, "how often both sides take their turn")
	seconds := flag.Float64("seconds", 3, "how long one leg lasts")
	stored := flag.Int("stored", 1_000_000, "the `number` of verifications in the large data folder, 0 to leave that part out")
	bare := flag.Bool("serve-bare", false, "be the bare server (the bench starts itself so)")
	flag.Parse()

	var err error
	switch {
	case *bare:
		err = serveBare()
	case *rounds < 1 || *seconds <= 0 || *stored < 0 || flag.NArg() > 0:
		flag.Usage()
		os.Exit(2)
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		b := bench{binary: *binary, rounds: *rounds, leg: time.Duration(*seconds * float64(time.Second)), stored: *stored}
		err = b.run(ctx)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything, in an order that prints the main table first. What it started has
// ended and its folder is gone when it returns.
func (b *bench) run(ctx context.Context) error {
	var err error
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

	warnOfBusyMachine(os.Stderr)
	pairs, err := b.againstBare(ctx)
	if err != nil {
		return err
	}
	if err := printTable(os.Stdout, pairs); err != nil {
		return err
	}
	flat := math.NaN()
	if b.stored > 0 {
		if flat, err = b.flat(ctx); err != nil {
			return err
		}
		fmt.Printf("\nverif/s at 64 with %d stored verifications ÷ with none: %.2f\n", b.stored, flat)
	}
	live, ready, err := b.coldStart(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\ncold start: GET /livez %.1f ms, then GET /v2/Services %.1f ms (median of %d)\n\n", live, ready, coldStarts)
	for _, g := range goals(pairs, flat, ready) {
		fmt.Println(g)
	}
	return nil
}

// warnOfBusyMachine says so when other programs take the cores: both sides need one to themselves,
// and what starves them does not starve them alike.
func warnOfBusyMachine(out io.Writer) {
	text, _ := os.ReadFile("/proc/loadavg") // without it there is nothing to say
	var load float64
	if _, err := fmt.Sscan(string(text), &load); err == nil && load > float64(runtime.NumCPU())/2 {
		fmt.Fprintf(out, "bench: the load average is %.1f on %d cores before anything was started; do not trust what follows\n", load, runtime.NumCPU())
	}
}

// mainFolder is the data folder of the rounds against the bare pair; the cold starts find it as
// the rounds left it.
func (b *bench) mainFolder() string { return filepath.Join(b.dir, "main") }

// againstBare runs the rounds, and returns for each number of connections the pair of each round.
func (b *bench) againstBare(ctx context.Context) (map[int][]pair, error) {
	bare, err := b.startBare(ctx)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	verifyd, err := b.startVerifyd(ctx, b.mainFolder())
	if err != nil {
		return nil, err
	}
	defer verifyd.stop()
	if err := verifyd.makeService(ctx); err != nil {
		return nil, err
	}
	pairs := map[int][]pair{}
	for round := range b.rounds {
		for _, connections := range connectionCounts {
			p, err := b.turn(ctx, round, connections, bare, verifyd)
			if err != nil {
				return nil, err
			}
			pairs[connections] = append(pairs[connections], p)
		}
	}
	return pairs, nil
}

// turn has two servers take the same load one after the other. They swap places every round, and
// both are warmed up before the first.
func (b *bench) turn(ctx context.Context, round, connections int, base, other *child) (p pair, err error) {
	if round == 0 {
		for _, c := range []*child{base, other} {
			if _, err := c.measure(ctx, connections, b.leg/5); err != nil {
				return p, err
			}
		}
	}
	first := func() error { p.base, err = base.measure(ctx, connections, b.leg); return err }
	second := func() error { p.other, err = other.measure(ctx, connections, b.leg); return err }
	if round%2 == 1 {
		first, second = second, first
	}
	if err := first(); err != nil {
		return p, err
	}
	return p, second()
}
