package delivery

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// Route is one way to carry a channel's messages.
type Route struct {
	Name     string // the provider's name in the configuration
	Provider provider.Provider
	From     string // the sender, "" for the provider's own
	// Regulatory is what goes with every message of this route, nil for nothing.
	Regulatory *provider.Regulatory
	// Weight is the share of the messages that go this way first; 0 where the order of the routes
	// decides. Either all routes of a list have one, or none has.
	Weight int
	// Hedge is after how long without an answer the next provider is given the message as well; 0 is
	// never.
	Hedge time.Duration
}

// ByCountry are the routes of a channel: those of each country that has its own, and those of
// AnyCountry for all others; the preferred one first.
type ByCountry map[string][]Route

// AnyCountry stands for every country that has no routes of its own.
const AnyCountry = "*"

// Routes are the routes of each channel.
type Routes map[verify.Channel]ByCountry

// Anywhere are routes that do not differ by country.
func Anywhere(routes ...Route) ByCountry { return ByCountry{AnyCountry: routes} }

// Routed reports whether a channel has a route.
func (r Routes) Routed(c verify.Channel) bool { return len(r[c]) > 0 }

// to are the routes of a channel to a country, none if there are none.
func (r Routes) to(c verify.Channel, country string) []Route {
	if own := r[c][country]; len(own) > 0 && country != "" {
		return own
	}
	return r[c][AnyCountry]
}

// MessagingServices are the routes of each messaging service by its SID (MG…). A channel or a country
// that one does not name has the routes that every message of the channel has.
type MessagingServices map[string]Routes

// Carry reports whether a messaging service has routes of its own for a channel.
func (m MessagingServices) Carry(messagingServiceSID string, c verify.Channel) bool {
	return m[messagingServiceSID].Routed(c)
}

// Routes are the routes of an attempt as they are configured: those of its messaging service, or of
// its channel if it has none, or none any more, because the configuration may have changed since the
// start.
func (w *Worker) routes(a *verify.Attempt) []Route {
	if a.Options.MessagingServiceSID != "" {
		if own := w.MessagingServices[a.Options.MessagingServiceSID].to(a.Channel, a.Country); len(own) > 0 {
			return own
		}
	}
	return w.Routes.to(a.Channel, a.Country)
}

// preferred brings routes into the order of an attempt: by weights if they have some, and beginning
// behind the provider of the send before, whose code did not come back. The same attempt has the same
// order in every turn.
func preferred(routes []Route, a *verify.Attempt) []Route {
	if len(routes) < 2 {
		return routes
	}
	weighted := routes[0].Weight > 0
	if weighted {
		routes = slices.Clone(routes)
		slices.SortStableFunc(routes, func(x, y Route) int { return cmp.Compare(draw(x, a), draw(y, a)) })
	}
	last := -1
	if a.Options.After != "" {
		last = slices.IndexFunc(routes, func(r Route) bool { return r.Name == a.Options.After })
	}
	switch {
	case last < 0 || !weighted && last == len(routes)-1:
		return routes
	case weighted:
		return slices.Concat(routes[:last], routes[last+1:], routes[last:last+1])
	default:
		return slices.Concat(routes[last+1:], routes[:last+1])
	}
}

// draw is a number that is the smaller the sooner a route is asked. The smallest of such numbers falls
// to each route as often as its weight says (an exponential race).
func draw(r Route, a *verify.Attempt) float64 {
	return -math.Log(uniform(a.SID, r.Name)) / float64(r.Weight)
}

// uniform is a number between 0 and 1, neither of them, that is always the same for the same texts.
func uniform(texts ...string) float64 {
	h := fnv.New64a()
	for _, text := range texts {
		_, _ = h.Write([]byte(text)) // never fails
		_, _ = h.Write([]byte{0})
	}
	sum := h.Sum64()
	// FNV leaves its high bits alone where texts differ at their end; this mixes them (MurmurHash3).
	sum ^= sum >> 33
	sum *= 0xff51afd7ed558ccd
	sum ^= sum >> 33
	return (float64(sum>>11) + 0.5) / (1 << 53)
}
