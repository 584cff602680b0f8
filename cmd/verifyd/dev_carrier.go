package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
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
	running *fakecarrier.Carrier // nil until it is started
}

// devChannels are what goes by the carrier, each by a provider of a type. The others go into the inbox: push
// needs keys that the application has, and nobody here speaks RCS.
var devChannels = map[string]verify.Channel{
	"smpp": verify.SMS, "sip": verify.Call, "smtp": verify.Email, "whatsapp": verify.WhatsApp,
}

// start implements devserver.Carrier. Its ports are those that are free, so that it stands in nobody's way.
func (c *devCarrier) start(now func() time.Time, back *server.WayBack) (string, map[verify.Channel]delivery.Route, error) {
	const anywhere = "127.0.0.1:0"
	var err error
	c.running, err = fakecarrier.Start(fakecarrier.Options{
		API: anywhere, HTTP: anywhere, SMPP: anywhere, SIP: anywhere, SMTP: anywhere, Now: now, Log: c.log.With("of", "carrier"),
	})
	if err != nil {
		return "", nil, fmt.Errorf("the fake carrier: %w", err)
	}
	by := map[verify.Channel]delivery.Route{}
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
	}
	return c.running.URL(), by, nil
}

func (c *devCarrier) close() error {
	if c.running == nil {
		return nil
	}
	return c.running.Close()
}
