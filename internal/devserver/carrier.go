package devserver

import (
	"context"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/delivery"
	"github.com/verifyd/verifyd/internal/server"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// Carrier makes a provider for each of some channels, and is told the time and where reports go. The URL is
// for people, who can have the carrier behind them misbehave there.
type Carrier func(now func() time.Time, back *server.WayBack) (url string, by map[verify.Channel]delivery.Route, err error)

// carry has the messages of some channels leave by a carrier. ruled is the provider that all messages are
// given to, which does with them what the rules say and has them leave by exits.
func (d *Server) carry(start Carrier, now func() time.Time, ruled provider.Provider, out *exits) (err error) {
	var by map[verify.Channel]delivery.Route
	if d.World.Carrier, by, err = start(now, d.WayBack); err != nil {
		return err
	}
	for channel, route := range by {
		d.Providers[route.Name] = route.Provider // itself, which is run and reported to
		out.by[string(channel)] = route.Provider
		d.Routes[channel] = delivery.Anywhere(delivery.Route{Name: route.Name, Provider: before(route.Provider, ruled)})
	}
	return nil
}

// before is a provider that stands before another one. Delivery goes by what the other one can do.
func before(by, p provider.Provider) provider.Provider {
	c := carried{p, by}
	revoker, canRevoke := by.(provider.Revoker)
	_, canRepeat := by.(provider.Repeatable)
	switch {
	case canRevoke && canRepeat:
		return repeatableRevocable{revocable{c, revoker}}
	case canRevoke:
		return revocable{c, revoker}
	case canRepeat:
		return repeatable{c}
	default:
		return c
	}
}

// revocable is carried by one that can take messages back, repeatable by one that knows a message again.
type (
	revocable struct {
		carried
		provider.Revoker
	}
	repeatable          struct{ carried }
	repeatableRevocable struct{ revocable }
)

// Repeatable implements provider.Repeatable.
func (repeatable) Repeatable() {}

// Repeatable implements provider.Repeatable.
func (repeatableRevocable) Repeatable() {}

// carried is a provider before another one that may report: delivery keeps the identifiers of those alone.
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

// exits are where messages leave: into the inbox, and before that by the provider of their channel if there
// is one, so that the inbox has a copy of what was taken.
type exits struct {
	inbox provider.Provider
	by    map[string]provider.Provider
}

// Send implements provider.Provider.
func (e *exits) Send(ctx context.Context, m provider.Message) (provider.Accepted, error) {
	by, there := e.by[m.Channel]
	if !there {
		return e.inbox.Send(ctx, m)
	}
	accepted, err := by.Send(ctx, m)
	if err != nil {
		return accepted, err
	}
	_, err = e.inbox.Send(ctx, m)
	return accepted, err
}
