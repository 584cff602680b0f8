package devserver

import (
	"context"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/rules"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// Carrier makes a provider for each of some channels, and is told the time and where reports go. The URL is
// for people, who can have the carrier behind them misbehave there.
type Carrier func(now func() time.Time, back *server.WayBack) (url string, by map[verify.Channel]delivery.Route, err error)

// carry has the messages of some channels go by a carrier. Rules come before it, as they do before the inbox.
func (d *Server) carry(make Carrier, now func() time.Time, book *rules.Book, box provider.Provider) (err error) {
	var by map[verify.Channel]delivery.Route
	d.WayBack = &server.WayBack{}
	if d.World.Carrier, by, err = make(now, d.WayBack); err != nil {
		return err
	}
	for channel, route := range by {
		d.Providers[route.Name] = route.Provider // itself, which is run and reported to
		route.Provider = carried{book.Carrier(copied{route.Provider, box}), route.Provider}
		d.Routes[channel] = delivery.Anywhere(route)
	}
	return nil
}

// carried is a provider with rules and a copy around it, and still one that reports: delivery keeps the
// identifiers of those alone.
type carried struct {
	provider.Provider
	by provider.Provider
}

// ServeReport implements provider.Reporter.
func (c carried) ServeReport(w http.ResponseWriter, r *http.Request) {
	reporter, ok := c.by.(provider.Reporter)
	if !ok {
		http.NotFound(w, r)
		return
	}
	reporter.ServeReport(w, r)
}

// copied is a provider of whose messages the inbox has a copy, as soon as they are taken.
type copied struct{ by, inbox provider.Provider }

// Send implements provider.Provider.
func (c copied) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	accepted, err := c.by.Send(ctx, m)
	if err != nil {
		return accepted, err
	}
	_, err = c.inbox.Send(ctx, m)
	return accepted, err
}
