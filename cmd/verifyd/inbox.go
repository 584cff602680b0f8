package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/operator"
)

// longestWait is how long the server waits for one question; who wants to wait longer asks again.
const longestWait = time.Minute

// runInbox prints the code that was sent, when it has been.
func runInbox(ctx context.Context, args []string, sys system) error {
	flags := flag.NewFlagSet("inbox", flag.ContinueOnError)
	find := devFlags(flags, sys)
	to := flags.String("to", "", "the `number` or e-mail address that the code was sent to; any if left out")
	channel := flags.String("channel", "", "sms, call, email, whatsapp or rcs; any if left out")
	after := flags.String("after", "", "take newer messages than this one only: the `SID` that --json shows")
	wait := flags.Duration("wait", 0, "how long to wait for the message, a `time`: 10s, 2m")
	asJSON := flags.Bool("json", false, "print the whole message as JSON")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	at, err := find()
	if err != nil {
		return err
	}
	query := url.Values{"pending": {"true"}, "limit": {"1"}, "to": {*to}, "channel": {*channel}, "after": {*after}}
	message, err := waitForMessage(ctx, at, query, *wait)
	switch {
	case err != nil:
		return err
	case message == nil:
		return fmt.Errorf("no code%s that is still good%s", forWhom(*to), inTime(*wait))
	case *asJSON:
		_, err = fmt.Fprintf(sys.stdout, "%s\n", message)
		return err
	}
	var m struct{ Code string }
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	_, err = fmt.Fprintln(sys.stdout, m.Code)
	return err
}

func forWhom(to string) string {
	if to == "" {
		return ""
	}
	return " for " + to
}

func inTime(wait time.Duration) string {
	if wait <= 0 {
		return " is there; --wait 10s waits for one"
	}
	return " came in " + wait.String()
}

// waitForMessage asks until there is a message, or the time is up: then it is nil.
func waitForMessage(ctx context.Context, at devAddress, query url.Values, wait time.Duration) (json.RawMessage, error) {
	for {
		step := min(wait, longestWait)
		query.Set("wait", step.String())
		var inbox struct{ Messages []json.RawMessage }
		if err := at.call(ctx, http.MethodGet, "/dev/inbox?"+query.Encode(), step+callMargin, &inbox); err != nil {
			return nil, err
		}
		if wait -= step; len(inbox.Messages) > 0 || wait <= 0 {
			if len(inbox.Messages) == 0 {
				return nil, nil
			}
			return inbox.Messages[0], nil
		}
	}
}

// devAddress is the base of a verifyd dev.
type devAddress string

// devFlags are the flags with which a command finds a verifyd dev, of which it needs no more than the
// address.
func devFlags(flags *flag.FlagSet, sys system) (find func() (devAddress, error)) {
	base := flags.String("url", "", "the `address` of the verifyd dev, else VERIFYD_URL, else that of the one that runs here")
	data := flags.String("data", "", "the data `folder` of the verifyd dev to speak to")
	return func() (devAddress, error) {
		env, _ := sys.getenv("VERIFYD_URL")
		switch {
		case *base != "" && *data != "":
			return "", misuse(flags, "--url and --data say two servers", sys)
		case *base != "":
			return devAddress(strings.TrimSuffix(*base, "/")), nil
		case *data == "" && env != "":
			return devAddress(strings.TrimSuffix(env, "/")), nil
		case *data == "":
			*data = defaultData(sys.getenv)
		}
		at, err := operator.ReadDev(*data)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("no verifyd dev runs on the data folder %s; start one, or say where it is with --url or VERIFYD_URL", *data)
		}
		return devAddress(at.URL), err
	}
}

// callMargin is how much longer an answer may take than the server was asked to wait.
const callMargin = 10 * time.Second

// call calls what a verifyd dev has beside the API: no credentials, and no proxy. into takes the answer, nil
// if it does not matter.
func (at devAddress) call(ctx context.Context, method, path string, patience time.Duration, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, string(at)+path, nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w; does the verifyd dev run?", r.URL.Host, err)
	}
	defer answer.Body.Close()
	const most = 16 << 20
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return err
	}
	if answer.StatusCode < 300 {
		if into != nil && json.Unmarshal(text, into) != nil {
			return at.stranger()
		}
		return nil
	}
	var refusal struct{ Message string }
	if json.Unmarshal(text, &refusal) != nil || refusal.Message == "" {
		refusal.Message = "is that a verifyd dev?"
	}
	return fmt.Errorf("%s answers %s: %s", r.URL.Host, answer.Status, refusal.Message)
}

// stranger says that something else is at the address.
func (at devAddress) stranger() error {
	return fmt.Errorf("%s does not answer as a verifyd dev does", at)
}
