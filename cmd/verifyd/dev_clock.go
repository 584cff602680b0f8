package main

import (
	"context"
	"encoding/json"
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

func runClockShow(ctx context.Context, args []string, sys system) error {
	return steerClock("clock show", "")(ctx, args, sys)
}

// steerClock is a command that moves the clock, or looks at it if move is "".
func steerClock(name, move string) func(context.Context, []string, system) error {
	return func(ctx context.Context, args []string, sys system) error {
		flags := flag.NewFlagSet(name, flag.ContinueOnError)
		find := devFlags(flags, sys)
		if err := parse(flags, args, sys); err != nil {
			return err
		}
		return callClock(ctx, find, url.Values{move: {"true"}}, sys)
	}
}

func runClockAdvance(ctx context.Context, args []string, sys system) error {
	flags := flag.NewFlagSet("clock advance", flag.ContinueOnError)
	find := devFlags(flags, sys)
	by, err := parseWith(flags, "the duration (30s, 10m, 24h)", args, sys)
	if err != nil {
		return err
	}
	if _, err := time.ParseDuration(by); err != nil {
		return misuse(flags, fmt.Sprintf("%q is no duration; want one as 30s, 10m, 24h", by), sys)
	}
	return callClock(ctx, find, url.Values{"advance": {by}}, sys)
}

// movePatience is longer than the server takes to have done what is due.
const movePatience = 90 * time.Second

func callClock(ctx context.Context, find func() (string, error), move url.Values, sys system) error {
	base, err := find()
	if err != nil {
		return err
	}
	method, address := http.MethodPost, base+"/dev/clock?"+move.Encode()
	if move.Has("") {
		method, address = http.MethodGet, base+"/dev/clock"
	}
	body, err := callDev(ctx, method, address, nil, movePatience)
	if err != nil {
		return err
	}
	var shows struct {
		Now    string
		Frozen bool
		Next   *string
	}
	if err := json.Unmarshal(body, &shows); err != nil || shows.Now == "" {
		return fmt.Errorf("%s does not answer as a verifyd dev does", base)
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
	base, err := find()
	if err != nil {
		return err
	}
	_, err = callDev(ctx, http.MethodPost, base+"/dev/reset", nil, movePatience)
	return err
}
