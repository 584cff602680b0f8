// Command fakecarrier is the other end of every provider of verifyd, for tests and for trying things out:
// an SMSC, a SIP trunk, a mail relay, and the HTTP APIs of all vendors. It prints a verifyd.toml that sends
// everything to it, and has an API to see what came and to make it misbehave (docs/fakecarrier.md).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/verifyd/verifyd/internal/fakecarrier"
	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/gate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, files, err := options(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "fakecarrier: %v\n", err)
		return exitUsage
	}
	if err := serve(ctx, o, files, stdout); err != nil {
		fmt.Fprintf(stderr, "fakecarrier: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// files are those that the program reads or writes.
type files struct{ knobs, cert string }

func options(args []string, stderr io.Writer) (o fakecarrier.Options, f files, err error) {
	flags := flag.NewFlagSet("fakecarrier", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.API, "api", "127.0.0.1:8700", "the `address` of the API for tests")
	hosts := flags.String(gate.Flag, "", "the `names` under which the API is reached, with commas: carrier.example.com; private ones need not be said")
	flags.StringVar(&o.HTTP, "http", "127.0.0.1:8701", "the `address` of the vendors that speak HTTP, each below its name")
	flags.StringVar(&o.SMPP, "smpp", "127.0.0.1:2775", "the `address` of the SMSC, \"\" for none")
	flags.StringVar(&o.SIP, "sip", "127.0.0.1:5060", "the `address` of the trunk, over UDP and TCP, \"\" for none")
	flags.StringVar(&o.SMTP, "smtp", "127.0.0.1:2525", "the `address` of the mail relay, \"\" for none")
	flags.StringVar(&o.APNs, "apns", "", "the `address` of APNs over TLS; its certificate is written by --cert")
	flags.StringVar(&o.Bounces, "bounces", "127.0.0.1:2526", "the `address` that verifyd takes bounces at, \"\" for none")
	flags.StringVar(&f.cert, "cert", "", "write the certificate of APNs to this `file`, for SSL_CERT_FILE of verifyd")
	flags.StringVar(&f.knobs, "knobs", "", "begin with the knobs of this `file`")
	seed := flags.String("seed", "", "draw, and make identifiers, as every run with this `number` does")
	level := flags.String("log", "warn", "what to log: debug, info, warn or error")
	if err := flags.Parse(args); err != nil {
		return o, f, err
	}
	if flags.NArg() > 0 {
		return o, f, fmt.Errorf("%q is too much: there are flags alone, see --help", flags.Arg(0))
	}
	if o.Hosts, err = gate.List(*hosts); err != nil {
		return o, f, err
	}
	if *seed != "" {
		n, err := strconv.ParseUint(*seed, 10, 64)
		if err != nil {
			return o, f, fmt.Errorf("--seed %q is not a number", *seed)
		}
		o.Seed = &n
	}
	if f.cert != "" && o.APNs == "" {
		return o, f, errors.New("--cert is of --apns, which is not set")
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(*level)); err != nil {
		return o, f, fmt.Errorf("--log %q is none of debug, info, warn and error", *level)
	}
	o.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: l}))
	return o, f, nil
}

func serve(ctx context.Context, o fakecarrier.Options, f files, stdout io.Writer) (err error) {
	c, err := fakecarrier.Start(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if f.knobs != "" {
		text, err := os.ReadFile(f.knobs)
		if err != nil {
			return fmt.Errorf("--knobs: %w", err)
		}
		knobs, err := desk.Parse(text, c.Providers())
		if err != nil {
			return fmt.Errorf("--knobs: %s: %w", f.knobs, err)
		}
		c.Set(knobs)
	}
	if f.cert != "" {
		if err := os.WriteFile(f.cert, c.Certificate(), 0o644); err != nil {
			return fmt.Errorf("--cert: %w", err)
		}
	}
	fmt.Fprintf(stdout, "# For verifyd.toml; the same is at %s/verifyd.toml\n\n%s\n", c.URL(), strings.TrimSpace(c.TOML()))
	fmt.Fprintf(stdout, "\n# What came is at %s/messages, and the knobs are at %[1]s/knobs. Ctrl-C stops the carrier.\n", c.URL())
	<-ctx.Done()
	return nil
}
