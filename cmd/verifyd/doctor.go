package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/config"
	"github.com/verifyd/verifyd/internal/inbound"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// examTimeout is how long a provider has to say whether it would work.
const examTimeout = 20 * time.Second

// The results of a finding. Only failed counts against the installation.
const (
	fine    = "ok"
	failed  = "failed"
	notSure = "unproven"
)

// finding is what the doctor says of one thing.
type finding struct {
	What   string `json:"what"` // "store", "provider mail"
	Result string `json:"result"`
	Words  string `json:"words,omitempty"`
}

// runDoctor looks at everything that a configuration names, and goes on where something is wrong, so
// that one run finds all of it.
func runDoctor(ctx context.Context, args []string, sys system) error {
	flags, path := configFlags("doctor")
	asJSON := flags.Bool("json", false, "print JSON, one finding a line")
	urls := flags.Bool("report-urls", false, "print the URLs for the reports of carriers too; whoever knows one may send reports")
	if err := parse(flags, args, sys); err != nil {
		return err
	}
	var found []finding
	c, err := config.Load(*path, sys.getenv)
	if err != nil {
		found = append(found, finding{"configuration", failed, err.Error()})
	} else {
		found = append(found, finding{"configuration", fine, *path})
		found = append(found, examineTLS(c.TLS)...)
		found = append(found, examineStore(ctx, c, *urls)...)
		for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
			found = append(found, examineProvider(ctx, c, name))
		}
		found = append(found, examineRoutes(c)...)
		found = append(found, examineEvents(c)...)
	}
	if err := printFindings(sys.stdout, found, *asJSON); err != nil {
		return err
	}
	bad := 0
	for _, f := range found {
		if f.Result == failed {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d would not work", bad, len(found))
	}
	return nil
}

func printFindings(w io.Writer, found []finding, asJSON bool) error {
	wide := 0
	for _, f := range found {
		wide = max(wide, len(f.What))
	}
	for _, f := range found {
		line := fmt.Sprintf("%-*s  %-8s  %s", wide, f.What, f.Result, strings.Join(strings.Fields(f.Words), " "))
		if asJSON {
			text, err := json.Marshal(f)
			if err != nil {
				return err
			}
			line = string(text)
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// examineTLS reads the certificate as serve does, if there is one.
func examineTLS(c config.TLS) []finding {
	if c.CertFile == "" {
		return nil
	}
	if _, err := loadTLS(c, slog.New(slog.DiscardHandler)); err != nil {
		return []finding{{"certificate", failed, err.Error()}}
	}
	return []finding{{"certificate", fine, c.CertFile}}
}

// examineStore opens the store beside a server that may be running. What the first start makes is not
// made here.
func examineStore(ctx context.Context, c config.Config, urls bool) []finding {
	if _, err := os.Stat(c.KeyPath()); errors.Is(err, fs.ErrNotExist) {
		return []finding{{"store", notSure, "key file " + c.KeyPath() + " is not there yet; the first start makes it"}}
	}
	nobody := func(verify.Channel) bool { return false }
	s, e, err := openConfigured(ctx, c, slog.New(slog.DiscardHandler), false, nobody)
	if err != nil {
		return []finding{{"store", failed, err.Error()}}
	}
	found := []finding{{"store", fine, c.StoreName()}}
	chains, err := examineChains(ctx, e, c)
	if err != nil {
		found = append(found, finding{"services", failed, err.Error()})
	}
	found = append(found, chains...)
	if urls {
		found = append(found, reportURLs(c, e)...)
	}
	if err := s.Close(); err != nil {
		found = append(found, finding{"store", failed, err.Error()})
	}
	return found
}

// reportURLs are those of the providers whose carriers call back.
func reportURLs(c config.Config, e *verify.Engine) (found []finding) {
	base := c.PublicURL
	if base == "" {
		base = "https://PUBLIC_URL"
	}
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		p, err := buildProvider(c, name, slog.New(slog.DiscardHandler), &server.WayBack{})
		if err != nil {
			continue // is said elsewhere
		}
		if _, ok := p.(provider.Reporter); ok {
			found = append(found, finding{"reports of " + name, fine, base + inbound.Path(e.Keys, name)})
		}
	}
	return found
}

// examineChains finds the services whose codes are to go on by a channel that nobody carries any more.
func examineChains(ctx context.Context, e *verify.Engine, c config.Config) (found []finding, err error) {
	accounts, err := e.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		services, err := e.AllServices(ctx, a.SID)
		if err != nil {
			return nil, err
		}
		for _, s := range services {
			for _, channel := range s.Fallback {
				if len(c.Routes[string(channel)]) == 0 {
					found = append(found, finding{"service " + s.SID, failed, fmt.Sprintf("Verifyd.Fallback: %s has no route", channel)})
				}
			}
		}
	}
	return found, nil
}

// examineProvider makes a provider as the server would, and asks it.
func examineProvider(ctx context.Context, c config.Config, name string) finding {
	f := finding{What: "provider " + name, Result: failed}
	p, err := buildProvider(c, name, slog.New(slog.DiscardHandler), &server.WayBack{})
	if err != nil {
		f.Words = err.Error()
		return f
	}
	kind, _, _ := c.Provider(name)
	checker, ok := p.(provider.Checker)
	if !ok {
		return finding{f.What, notSure, kind + ": the settings can be read; it cannot be tried without a message (verifyd send)"}
	}
	ctx, cancel := context.WithTimeout(ctx, examTimeout)
	defer cancel()
	err = checker.Check(ctx)
	if closer, ok := p.(io.Closer); ok {
		err = errors.Join(err, closer.Close())
	}
	switch {
	case errors.Is(err, provider.ErrUnproven):
		return finding{f.What, notSure, kind + ": " + err.Error()}
	case err != nil:
		f.Words = kind + ": " + err.Error()
		return f
	default:
		return finding{f.What, fine, kind + ": connected, and known there"}
	}
}

// examineEvents says where the events of verifications go, if they go anywhere.
func examineEvents(c config.Config) []finding {
	announced, err := announcedTo(c.Events)
	switch {
	case err != nil:
		return []finding{{"events", failed, err.Error()}}
	case c.Events.URL == "":
		return nil
	default:
		return []finding{{"events", fine, fmt.Sprintf("%d types, of services with VerifyEventSubscriptionEnabled", len(announced))}}
	}
}

// examineRoutes says what the routes come to; that they name providers was seen when they were read.
func examineRoutes(c config.Config) (found []finding) {
	if len(c.Routes) == 0 {
		return []finding{{"routes", failed, "there are none: every start would be refused"}}
	}
	for _, channel := range slices.Sorted(maps.Keys(c.Routes)) {
		f := finding{"route of " + channel, fine, ""}
		var words []string
		for _, r := range c.Routes[channel] {
			var names []string
			for _, way := range r.Ways {
				names = append(names, way.Provider)
			}
			words = append(words, strings.Join(r.Countries, ",")+" by "+strings.Join(names, ", "))
		}
		f.Words = strings.Join(words, "; ")
		found = append(found, f)
	}
	return found
}
