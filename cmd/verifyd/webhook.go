package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// runWebhookDeliveries lists what webhooks and the sink of events were told, newest first.
func runWebhookDeliveries(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("webhook deliveries")
	webhookSID := flags.String("webhook", "", "only those to the webhook with this `SID`, YW…")
	status := flags.String("status", "", "only those that are queued, delivered, failed or dropped")
	limit := flags.Int("limit", 50, "how many")
	if err := parse(flags.FlagSet, args, sys); err != nil {
		return err
	}
	switch verify.EventState(*status) {
	case "", verify.EventQueued, verify.EventDelivered, verify.EventFailed, verify.EventDropped:
	default:
		return fmt.Errorf("--status: %q is none of queued, delivered, failed, dropped", *status)
	}
	if *limit < 1 {
		return errors.New("--limit: want 1 or more")
	}
	return flags.run(ctx, sys, func(e *verify.Engine, account string) error {
		list, err := e.EventDeliveries(ctx, verify.EventQuery{
			AccountSID: account, WebhookSID: *webhookSID, State: verify.EventState(*status),
		}, verify.Page{Size: *limit})
		if err != nil {
			return err
		}
		for i := range list {
			if err := printDelivery(sys.stdout, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// runWebhookResend has an event delivered again by the server that runs.
func runWebhookResend(ctx context.Context, args []string, sys system) error {
	flags := newStoreFlags("webhook resend")
	sid, err := parseWith(flags.FlagSet, "the delivery's SID (ED…)", args, sys)
	if err != nil {
		return err
	}
	return flags.run(ctx, sys, func(e *verify.Engine, account string) error {
		d, err := e.ResendEvent(ctx, account, sid)
		if refused, ok := errors.AsType[*verify.Error](err); ok && refused.Code == verify.CodeNotFound {
			return fmt.Errorf("there is no delivery %s; verifyd webhook deliveries shows what there is", sid)
		}
		if err != nil {
			return err
		}
		return printDelivery(sys.stdout, d)
	})
}

// printDelivery writes one line: SID, when, event, to whom, state, and the last try.
func printDelivery(out io.Writer, d *verify.EventDelivery) error {
	to, last := d.WebhookSID, ""
	if to == "" {
		to = "events"
	}
	if n := len(d.Tries); n > 0 {
		try := d.Tries[n-1]
		last = fmt.Sprintf(", try %d at %s: %d in %d ms", n, try.At.Format(time.DateTime), try.Code, try.Milli)
		if try.Error != "" {
			last += ", " + try.Error
		}
	}
	_, err := fmt.Fprintf(out, "%s  %s  %s  %s  %s%s\n", d.SID, d.CreatedAt.Format(time.DateTime), d.EventType, to, d.State, last)
	return err
}
