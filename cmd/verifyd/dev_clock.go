package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// seedValue is a number that may be missing.
type seedValue struct{ to **uint64 }

func (f seedValue) String() string { return "" }

func (f seedValue) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("want a number from 0")
	}
	*f.to = &n
	return nil
}

// steerClock is a command that moves the clock, or looks at it if move is "". ofService says that it can do so
// with the time of one service.
func steerClock(name, move string, ofService bool) func(context.Context, []string, system) error {
	return func(ctx context.Context, args []string, sys system) error {
		flags := flag.NewFlagSet(name, flag.ContinueOnError)
		find := devFlags(flags, sys)
		service := new(string)
		if ofService {
			service = serviceFlag(flags)
		}
		if err := parse(flags, args, sys); err != nil {
			return err
		}
		return callClock(ctx, find, move, "true", *service, sys)
	}
}

func serviceFlag(flags *flag.FlagSet) *string {
	return flags.String("service", "", "the time of the service with this `SID` alone, and not that of the server")
}

func runClockAdvance(ctx context.Context, args []string, sys system) error {
	flags := flag.NewFlagSet("clock advance", flag.ContinueOnError)
	find, service := devFlags(flags, sys), serviceFlag(flags)
	by, err := parseWith(flags, "the duration (30s, 10m, 24h)", args, sys)
	if err != nil {
		return err
	}
	if _, err := time.ParseDuration(by); err != nil {
		return misuse(flags, fmt.Sprintf("%q is no duration; want one as 30s, 10m, 24h", by), sys)
	}
	return callClock(ctx, find, "advance", by, *service, sys)
}

// movePatience is longer than the server takes to have done what is due.
const movePatience = 90 * time.Second

// callClock moves the clock, or looks at it if move is "".
func callClock(ctx context.Context, find func() (devAddress, error), move, value, service string, sys system) error {
	at, err := find()
	if err != nil {
		return err
	}
	method, query := http.MethodGet, url.Values{}
	if move != "" {
		method, query = http.MethodPost, url.Values{move: {value}}
	}
	if service != "" {
		query.Set("service", service)
	}
	var shows struct {
		Now    string
		Frozen bool
		Next   *string
	}
	if err := at.call(ctx, method, "/dev/clock?"+query.Encode(), movePatience, &shows); err != nil {
		return err
	}
	if shows.Now == "" {
		return at.stranger()
	}
	line := shows.Now
	if shows.Frozen {
		line += "  frozen"
	}
	if shows.Next != nil {
		line += "  next " + *shows.Next
	}
	_, err = fmt.Fprintln(sys.stdout, line)
	return err
}

func runReset(ctx context.Context, args []string, sys system) error {
	flags := flag.NewFlagSet("reset", flag.ContinueOnError)
	find := devFlags(flags, sys)
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	at, err := find()
	if err != nil {
		return err
	}
	return at.call(ctx, http.MethodPost, "/dev/reset", movePatience, nil)
}
