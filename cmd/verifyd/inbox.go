package main

import (
	"bytes"
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
	wait := flags.Duration("wait", 0, "how `long` to wait for the message: 10s, 2m")
	asJSON := flags.Bool("json", false, "print the whole message as JSON")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	base, err := find()
	if err != nil {
		return err
	}
	query := url.Values{"pending": {"true"}, "limit": {"1"}, "to": {*to}, "channel": {*channel}, "after": {*after}}
	message, err := waitForMessage(ctx, base, query, *wait)
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
func waitForMessage(ctx context.Context, base string, query url.Values, wait time.Duration) (json.RawMessage, error) {
	for {
		step := min(wait, longestWait)
		query.Set("wait", step.String())
		body, err := callDev(ctx, http.MethodGet, base+"/dev/inbox?"+query.Encode(), nil, step+callMargin)
		if err != nil {
			return nil, err
		}
		var inbox struct{ Messages []json.RawMessage }
		if err := json.Unmarshal(body, &inbox); err != nil {
			return nil, fmt.Errorf("%s does not answer as a verifyd dev does", base)
		}
		if wait -= step; len(inbox.Messages) > 0 || wait <= 0 {
			if len(inbox.Messages) == 0 {
				return nil, nil
			}
			return inbox.Messages[0], nil
		}
	}
}

// devFlags are the flags with which a command finds a verifyd dev, of which it needs no more than the
// address.
func devFlags(flags *flag.FlagSet, sys system) (find func() (base string, err error)) {
	base := flags.String("url", "", "the `address` of the verifyd dev, else VERIFYD_URL, else that of the one that runs here")
	data := flags.String("data", "", "the data `folder` of the verifyd dev to speak to")
	return func() (string, error) {
		env, _ := sys.getenv("VERIFYD_URL")
		switch {
		case *base != "" && *data != "":
			return "", misuse(flags, "--url and --data say two servers", sys)
		case *base != "":
			return strings.TrimSuffix(*base, "/"), nil
		case *data == "" && env != "":
			return strings.TrimSuffix(env, "/"), nil
		case *data == "":
			*data = defaultData(sys.getenv)
		}
		at, err := operator.ReadDev(*data)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("no verifyd dev runs on the data folder %s; start one, or say where it is with --url or VERIFYD_URL", *data)
		}
		return at.URL, err
	}
}

// callMargin is how much longer an answer may take than the server was asked to wait.
const callMargin = 10 * time.Second

// callDev calls what a verifyd dev has beside the API: no credentials, and no proxy. A body that is not
// nil is sent as JSON.
func callDev(ctx context.Context, method, address string, body any, patience time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("%s does not answer: %w; does the verifyd dev run?", r.URL.Host, err)
	}
	defer answer.Body.Close()
	const most = 16 << 20
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode < 300 {
		return text, nil
	}
	var refusal struct{ Message string }
	if json.Unmarshal(text, &refusal) != nil || refusal.Message == "" {
		refusal.Message = "is that a verifyd dev?"
	}
	return nil, fmt.Errorf("%s answers %s: %s", r.URL.Host, answer.Status, refusal.Message)
}
