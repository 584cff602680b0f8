package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Routes are the routes of each channel.
type Routes map[string][]Route

// AnyCountry stands for every country that no other route of the channel names.
const AnyCountry = "*"

// Route says who carries the messages of a channel to some countries.
type Route struct {
	// Countries are ISO 3166-1 alpha-2 codes, or AnyCountry alone.
	Countries []string
	// Ways are the providers, the preferred one first; or, if they have weights, by their shares.
	Ways []Way
	// Hedge is after how long without an answer the next provider is given a message as well; 0 is
	// never.
	Hedge Duration
}

// hedged are the channels that may be hedged: two texts say the same, two calls are a nuisance.
var hedged = []string{"sms", "whatsapp", "rcs"}

// Way is a provider of a route.
type Way struct {
	Provider string // the name of its table
	From     string // the sender, "" for the provider's own
	Weight   int    // its share of the traffic, 0 where the order decides
	// DLTEntity and DLTTemplate are the identifiers of sender and text in India, "" for none.
	DLTEntity, DLTTemplate string
}

// Delivery bounds what is tried for one message.
type Delivery struct {
	// MaxSends is how often a message may be sent, as far as that is known: hand-overs that were
	// surely not sent do not count.
	MaxSends int `toml:"max_sends"`
	// Deadline is how long after its first hand-over a message is tried again.
	Deadline Duration `toml:"deadline"`
	// Hedge is after how long without an answer the next provider is given a text as well, on every
	// route that says nothing else; 0, the default, is never.
	Hedge Duration `toml:"hedge"`
}

// The bounds of Delivery.
const (
	mostSends   = 10
	minDeadline = 5 * time.Second
	maxDeadline = 10 * time.Minute
	minHedge    = 500 * time.Millisecond
	maxHedge    = 10 * time.Second
)

// checkHedge refuses a hedge that helps nobody; 0 is none.
func checkHedge(path string, hedge Duration) error {
	if d := time.Duration(hedge); d != 0 && (d < minHedge || d > maxHedge) {
		return fmt.Errorf("%s: %s is neither 0s nor between %s and %s", path, d, minHedge, maxHedge)
	}
	return nil
}

func (d Delivery) validate() error {
	switch deadline := time.Duration(d.Deadline); {
	case d.MaxSends < 1 || d.MaxSends > mostSends:
		return fmt.Errorf("delivery.max_sends: %d is not between 1 and %d", d.MaxSends, mostSends)
	case deadline < minDeadline || deadline > maxDeadline:
		return fmt.Errorf("delivery.deadline: %s is not between %s and %s", deadline, minDeadline, maxDeadline)
	}
	return checkHedge("delivery.hedge", d.Hedge)
}

// Duration is a time.Duration written as "90s" or "1m30s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	n, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New(`a duration is a number with its unit, such as "90s"`)
	}
	*d = Duration(n)
	return nil
}

// maxWeight bounds shares, so that a misplaced number is found.
const maxWeight = 1000

// readRoutes reads the table of a set of routes. A channel has a list of names,
//
//	sms = ["first", "second"]
//
// or one table for each group of countries,
//
//	[[routes.sms]]
//	country = ["ES", "PT"]
//	providers = ["local", {name = "gateway", from = "Acme"}]
//
// path names the table in errors; allowed are the channels that it may have.
func (c Config) readRoutes(path string, table map[string]any, allowed []string) (Routes, error) {
	routes := Routes{}
	for _, channel := range slices.Sorted(maps.Keys(table)) {
		path := path + "." + channel
		if !slices.Contains(allowed, channel) {
			return nil, fmt.Errorf("%s: no such channel; there are %s", path, strings.Join(allowed, ", "))
		}
		list, ok := table[channel].([]any)
		if !ok {
			return nil, fmt.Errorf("%s: want a list of providers, or [[%[1]s]] tables", path)
		}
		if len(list) == 0 {
			continue
		}
		if _, long := list[0].(map[string]any); !long {
			ways, err := c.readWays(path, list)
			if err != nil {
				return nil, err
			}
			r := Route{Countries: []string{AnyCountry}, Ways: ways}
			if err := checkDLT(path, r); err != nil {
				return nil, err
			}
			if slices.Contains(hedged, channel) {
				r.Hedge = c.Delivery.Hedge
			}
			routes[channel] = []Route{r}
			continue
		}
		for i, entry := range list {
			path := fmt.Sprintf("%s, table %d", path, i+1)
			r, own, err := c.readRoute(path, entry)
			if err != nil {
				return nil, err
			}
			switch {
			case own && r.Hedge != 0 && !slices.Contains(hedged, channel):
				return nil, fmt.Errorf("%s: hedge: only %s have one", path, strings.Join(hedged, ", "))
			case !own && slices.Contains(hedged, channel):
				r.Hedge = c.Delivery.Hedge
			}
			if slices.Contains([]string{"email", "fcm", "apn"}, channel) && r.Countries[0] != AnyCountry {
				return nil, fmt.Errorf("%s: country: what %s is sent to has no country", path, channel)
			}
			for _, before := range routes[channel] {
				for _, country := range r.Countries {
					if slices.Contains(before.Countries, country) {
						return nil, fmt.Errorf("%s: country: %q has a table already", path, country)
					}
				}
			}
			routes[channel] = append(routes[channel], r)
		}
	}
	return routes, nil
}

// readRoute reads one [[routes.CHANNEL]] table. hedged is whether it says something about that.
func (c Config) readRoute(path string, entry any) (r Route, hedged bool, err error) {
	table, ok := entry.(map[string]any)
	if !ok {
		return r, false, fmt.Errorf("%s: want a table with country and providers", path)
	}
	for key := range table {
		if key != "country" && key != "providers" && key != "hedge" {
			return r, false, fmt.Errorf("%s: unknown key %s", path, key)
		}
	}
	if r.Countries, err = readCountries(path, table["country"]); err != nil {
		return r, false, err
	}
	if said, ok := table["hedge"]; ok {
		text, _ := said.(string)
		if err := r.Hedge.UnmarshalText([]byte(text)); err != nil {
			return r, false, fmt.Errorf("%s: hedge: %w", path, err)
		}
		if err := checkHedge(path+": hedge", r.Hedge); err != nil {
			return r, false, err
		}
		hedged = true
	}
	list, ok := table["providers"].([]any)
	if !ok || len(list) == 0 {
		return r, false, fmt.Errorf("%s: providers: want a list of names of [providers.NAME] tables", path)
	}
	if r.Ways, err = c.readWays(path+": providers", list); err != nil {
		return r, false, err
	}
	return r, hedged, checkDLT(path, r)
}

// readCountries reads what a table of a route says about countries.
func readCountries(path string, said any) (countries []string, err error) {
	switch v := said.(type) {
	case nil:
		countries = []string{AnyCountry}
	case string:
		countries = []string{v}
	case []any:
		for _, one := range v {
			text, _ := one.(string)
			countries = append(countries, text)
		}
	default:
		return nil, fmt.Errorf("%s: country: want a code such as \"ES\", a list of them, or \"*\"", path)
	}
	if len(countries) == 0 {
		return nil, fmt.Errorf("%s: country: the list is empty; \"*\" is all that no other table names", path)
	}
	for i, country := range countries {
		switch {
		case country == AnyCountry && len(countries) == 1:
		case country == AnyCountry:
			return nil, fmt.Errorf("%s: country: \"*\" stands beside others; it stands alone", path)
		case !countryCode.MatchString(country):
			return nil, fmt.Errorf("%s: country: %q is no country code such as ES", path, country)
		case slices.Contains(countries[:i], country):
			return nil, fmt.Errorf("%s: country: %q stands twice", path, country)
		}
	}
	return countries, nil
}

// checkDLT refuses identifiers of India where other countries are meant too: nobody there knows them.
func checkDLT(path string, r Route) error {
	for _, way := range r.Ways {
		if (way.DLTEntity != "" || way.DLTTemplate != "") && (len(r.Countries) != 1 || r.Countries[0] != "IN") {
			return fmt.Errorf("%s: %s: dlt_entity and dlt_template belong into a table with country = \"IN\" alone", path, way.Provider)
		}
	}
	return nil
}

// dltID is an identifier of India's ledger; they have nineteen digits today.
var dltID = regexp.MustCompile(`^[0-9]{6,30}$`)

// readWays reads a list of providers.
func (c Config) readWays(path string, list []any) ([]Way, error) {
	var ways []Way
	for _, entry := range list {
		way, err := readWay(path, entry)
		if err != nil {
			return nil, err
		}
		if _, ok := c.Providers[way.Provider]; !ok {
			return nil, fmt.Errorf("%s: there is no [providers.%s]", path, way.Provider)
		}
		if slices.ContainsFunc(ways, func(before Way) bool { return before.Provider == way.Provider }) {
			return nil, fmt.Errorf("%s: %s stands twice", path, way.Provider)
		}
		if len(ways) > 0 && (ways[0].Weight > 0) != (way.Weight > 0) {
			return nil, fmt.Errorf("%s: %s: either all providers of a route have a weight, or none has", path, way.Provider)
		}
		ways = append(ways, way)
	}
	return ways, nil
}

// readWay reads a provider of a route: its name, or a table with name, from, weight and what India wants.
func readWay(path string, entry any) (way Way, err error) {
	switch v := entry.(type) {
	case string:
		return Way{Provider: v}, nil
	case map[string]any:
		if way.Provider, _ = v["name"].(string); way.Provider == "" {
			return way, fmt.Errorf("%s: a table without the name of a provider", path)
		}
		for key, value := range v {
			ok := true
			switch key {
			case "name":
			case "from":
				way.From, ok = value.(string)
			case "dlt_entity":
				way.DLTEntity, ok = value.(string)
				ok = ok && dltID.MatchString(way.DLTEntity)
			case "dlt_template":
				way.DLTTemplate, ok = value.(string)
				ok = ok && dltID.MatchString(way.DLTTemplate)
			case "weight":
				var n int64
				n, ok = value.(int64)
				ok = ok && 1 <= n && n <= maxWeight
				way.Weight = int(n)
			default:
				return way, fmt.Errorf("%s: %s: unknown key %s", path, way.Provider, key)
			}
			if !ok && key == "weight" {
				return way, fmt.Errorf("%s: %s: weight: want a whole number between 1 and %d", path, way.Provider, maxWeight)
			}
			if !ok && key == "from" {
				return way, fmt.Errorf("%s: %s: from: want a text", path, way.Provider)
			}
			if !ok {
				return way, fmt.Errorf("%s: %s: %s: want the identifier of the ledger, a text of digits", path, way.Provider, key)
			}
		}
		return way, nil
	default:
		return way, fmt.Errorf("%s: want names of providers, or tables with name, from and weight", path)
	}
}

// readAllRoutes reads [routes] and [messaging_services].
func (c *Config) readAllRoutes() (err error) {
	if c.Routes, err = c.readRoutes("routes", c.RouteTables, channels); err != nil {
		return err
	}
	for channel, list := range c.Routes {
		if !slices.ContainsFunc(list, func(r Route) bool { return r.Countries[0] == AnyCountry }) {
			return fmt.Errorf("routes.%s: no table is for the other countries: add one with country = \"*\"; verifyd geo says where messages may go", channel)
		}
	}
	c.MessagingServices = map[string]Routes{}
	for sid, table := range c.MessagingTables {
		path := "messaging_services." + sid
		if !messagingService.MatchString(sid) {
			return fmt.Errorf("%s: want MG and 32 hexadecimal digits", path)
		}
		routes, err := c.readRoutes(path, table, messagingChannels)
		if err != nil {
			return err
		}
		if len(routes) == 0 {
			return fmt.Errorf("%s: has no providers; set sms = [\"…\"]", path)
		}
		c.MessagingServices[sid] = routes
	}
	return nil
}

// maxTPS is more than any carrier takes.
const maxTPS = 100_000

// TPS is how many messages a second a provider takes, 0 for no limit of ours.
func (c Config) TPS(name string) (float64, error) {
	var tps float64
	switch v := c.Providers[name]["tps"].(type) {
	case nil:
		return 0, nil
	case int64:
		tps = float64(v)
	case float64:
		tps = v
	}
	if !(tps > 0 && tps <= maxTPS) {
		return 0, fmt.Errorf("providers.%s.tps: want messages a second, more than 0 and at most %d", name, maxTPS)
	}
	return tps, nil
}
