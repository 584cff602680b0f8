package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/channel"
	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

const (
	// testLife is how long the code of a test message would live.
	testLife = 5 * time.Minute
	// bindTime is how long a provider that keeps a connection has to make it, and bindPause the time
	// between two tries.
	bindTime  = 15 * time.Second
	bindPause = 250 * time.Millisecond
	// testBrand and testCode are what the message says.
	testBrand = "verifyd test"
	testCode  = "123456"
)

// runSend sends one message outside of any verification: nothing is stored, and reports are forgotten.
func runSend(ctx context.Context, args []string, sys system) error {
	flags, path := configFlags("send")
	to := flags.String("to", "", "the `number` as +34612345678, or the e-mail address (required)")
	by := flags.String("channel", "", "the `channel`: sms, call, email, whatsapp or rcs (default sms, or email to an address)")
	name := flags.String("provider", "", "send by the provider with this `name`, and no other")
	route := flags.Bool("route", false, "send as the routes say, from one provider to the next")
	locale := flags.String("locale", "", "the `language`, as es or pt-BR")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	switch {
	case *to == "":
		return misuse(flags, "--to is missing", sys)
	case (*name == "") == !*route:
		return misuse(flags, "say by whom: --provider NAME, or --route", sys)
	}
	c, err := config.Load(*path, sys.getenv)
	if err != nil {
		return err
	}
	m, err := testMessage(*to, *by, *locale)
	if err != nil {
		return err
	}
	ways, err := testWays(c, m, *name)
	if err != nil {
		return err
	}
	for i, way := range ways {
		m.From, m.Regulatory, m.Key = way.From, regulatoryOf(way), fmt.Sprintf("%s:%d", m.Attempt, i+1)
		taken, took, err := sendBy(ctx, c, way.Provider, m)
		if err == nil {
			_, err := fmt.Fprintf(sys.stdout, "%s took it in %s%s\n", way.Provider, took.Round(time.Millisecond), withID(taken.ID))
			return err
		}
		failure, isAnswer := errors.AsType[*provider.Error](err)
		if !isAnswer {
			return err // it could not be made
		}
		fmt.Fprintf(sys.stdout, "%s did not, after %s: %v\n", way.Provider, took.Round(time.Millisecond), failure)
		if failure.Class == provider.BadRecipient || failure.Class == provider.Unknown {
			break // nobody would, or it may have gone out
		}
	}
	return errors.New("nobody took the message")
}

func withID(id string) string {
	if id == "" {
		return ""
	}
	return ", as " + id
}

// testMessage composes the message as a verification's would be.
func testMessage(to, by, locale string) (provider.Message, error) {
	c := verify.Channel(by)
	if c == "" {
		if c = verify.SMS; strings.Contains(to, "@") {
			c = verify.Email
		}
	}
	if !slices.Contains(verify.Channels(), c) {
		return provider.Message{}, fmt.Errorf("--channel: there is none called %q", by)
	}
	country := ""
	if c != verify.Email {
		n, ok := phone.Parse(to)
		if !ok {
			return provider.Message{}, errors.New("--to: want a telephone number with its country code, beginning with +")
		}
		to, country = n.E164(), n.Country()
	}
	now := time.Now()
	attemptSID, err := sid.New(sid.Attempt, now, rand.Reader)
	if err != nil {
		return provider.Message{}, err
	}
	return channel.Compose(verify.Delivery{
		Attempt: &verify.Attempt{SID: attemptSID, Channel: c, To: to, Country: country, Locale: locale, Brand: testBrand},
		Code:    testCode, TTL: testLife, Deadline: now.Add(testLife),
	}), nil
}

// testWays are the providers to ask: the one that is named, or those of the routes.
func testWays(c config.Config, m provider.Message, name string) ([]config.Way, error) {
	if name != "" {
		if _, ok := c.Providers[name]; !ok {
			return nil, fmt.Errorf("--provider: there is no [providers.%s]", name)
		}
		return []config.Way{{Provider: name}}, nil
	}
	var others []config.Way
	for _, r := range c.Routes[m.Channel] {
		if slices.Contains(r.Countries, m.Country) {
			return r.Ways, nil
		}
		if r.Countries[0] == config.AnyCountry {
			others = r.Ways
		}
	}
	if len(others) == 0 {
		return nil, fmt.Errorf("routes.%s: there is none", m.Channel)
	}
	return others, nil
}

// sendBy makes a provider as the server would, lets it run if it keeps a connection, and gives it the
// message.
func sendBy(ctx context.Context, c config.Config, name string, m provider.Message) (taken provider.Accepted, took time.Duration, err error) {
	log := slog.New(slog.DiscardHandler)
	p, err := buildProvider(c, name, log, &server.WayBack{})
	if err != nil {
		return taken, 0, err
	}
	running := map[string]provider.Provider{name: p}
	stop := server.StartRunners(running, log)
	defer func() {
		stop()
		_ = server.CloseProviders(running) // the message is out, or it is not
	}()
	_, runs := p.(provider.Runner)
	runs = runs && m.Channel != string(verify.Email) // what a mail provider keeps running is for bounces
	for until := time.Now().Add(bindTime); ; {
		began := time.Now()
		sending, cancel := context.WithTimeout(ctx, examTimeout)
		taken, err = p.Send(sending, m)
		cancel()
		took = time.Since(began)
		if err == nil {
			return taken, took, nil
		}
		failure := provider.AsError(err)
		if !runs || failure.Class != provider.Temporary || time.Now().After(until) || ctx.Err() != nil {
			return taken, took, failure
		}
		select { // not connected yet, perhaps
		case <-ctx.Done():
		case <-time.After(bindPause):
		}
	}
}
