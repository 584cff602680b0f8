package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/fakecarrier"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// devCarrier is the carrier of a `verifyd dev --carrier`.
type devCarrier struct {
	log     *slog.Logger
	hosts   []string             // what its API is called
	running *fakecarrier.Carrier // nil until it is started
	hooks   *http.Server         // where vendors report that are told a URL once, nil until it is started
	served  chan struct{}        // closed when hooks has ended
}

// devChannels are what goes by the carrier, each by a provider of a type. Push goes into the inbox: it needs
// keys that the application has.
var devChannels = map[string]verify.Channel{
	"smpp": verify.SMS, "sip": verify.Call, "smtp": verify.Email, "whatsapp": verify.WhatsApp, "rcs": verify.RCS,
}

// start implements devserver.Carrier. Its ports are those that are free, so that it stands in nobody's way.
func (c *devCarrier) start(now func() time.Time, back *server.WayBack) (string, map[verify.Channel]delivery.Route, error) {
	const anywhere = "127.0.0.1:0"
	var err error
	c.running, err = fakecarrier.Start(fakecarrier.Options{
		Hosts: c.hosts, API: anywhere, HTTP: anywhere, SMPP: anywhere, SIP: anywhere, SMTP: anywhere, Now: now, Log: c.log.With("of", "carrier"),
	})
	if err != nil {
		return "", nil, fmt.Errorf("the fake carrier: %w", err)
	}
	by := map[verify.Channel]delivery.Route{}
	hooks := http.NewServeMux()
	var hooked []string
	for _, table := range c.running.Tables() {
		channel, ours := devChannels[table.Type]
		if !ours {
			continue
		}
		settings := map[string]any{}
		for _, pair := range table.Keys {
			settings[fmt.Sprint(pair[0])] = pair[1]
		}
		text, err := json.Marshal(settings)
		if err != nil {
			return "", nil, err
		}
		p, err := providers[table.Type](text, provider.Deps{
			Log: c.log.With("provider", table.Type), HTTP: providerClient(), Now: now,
			Report: func(ctx context.Context, r provider.Report) error { return back.Report(ctx, table.Type, r) },
		})
		if err != nil {
			return "", nil, fmt.Errorf("the provider %s of the fake carrier: %w", table.Type, err)
		}
		by[channel] = delivery.Route{Name: table.Type, Provider: p}
		if reporter, ok := p.(provider.Reporter); ok && table.Webhook {
			hooks.HandleFunc("/"+table.Type, reporter.ServeReport)
			hooked = append(hooked, table.Type)
		}
	}
	if err := c.hook(hooks, hooked); err != nil {
		return "", nil, err
	}
	return c.running.URL(), by, nil
}

// hook tells vendors where to report. It is a port of its own: they ask at once whether somebody is there, and
// the server is not yet.
func (c *devCarrier) hook(hooks http.Handler, vendors []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the webhooks of the fake carrier: %w", err)
	}
	c.hooks = &http.Server{Handler: hooks, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug)}
	c.served = make(chan struct{})
	go func() {
		defer close(c.served)
		c.hooks.Serve(l)
	}()
	for _, name := range vendors {
		if err := c.running.Webhook(context.Background(), name, "http://"+l.Addr().String()+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

func (c *devCarrier) close() error {
	var err error
	if c.running != nil {
		err = c.running.Close() // which reports no more
	}
	if c.hooks != nil {
		err = errors.Join(err, c.hooks.Close())
		<-c.served
	}
	return err
}
