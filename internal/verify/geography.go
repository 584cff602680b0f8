package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/internal/phone"
)

// GeoRule says whether messages may go to a country. The rule that says the most decides: one of the
// service before one of the account, then one of a country before one of all countries, then one of
// a channel before one of all channels. Where no rule says anything, they may.
type GeoRule struct {
	AccountSID string
	ServiceSID string  // "" for all services of the account
	Channel    Channel // "" for all channels
	Country    string  // ISO 3166-1 alpha-2, "" for all, and for the networks of no country
	Allowed    bool
}

// about is what a rule is about, without what it says.
func (r GeoRule) about() GeoRule {
	r.Allowed = false
	return r
}

// Geography are the rules of an account and its services.
type Geography []GeoRule

// Find is the rule that decides, if there is one. country is "" for a network of no country.
func (g Geography) Find(serviceSID string, c Channel, country string) (GeoRule, bool) {
	best, found := GeoRule{}, false
	weight := func(r GeoRule) int {
		w := 0
		for i, said := range []bool{r.Channel != "", r.Country != "", r.ServiceSID != ""} {
			if said {
				w |= 1 << i
			}
		}
		return w
	}
	for _, r := range g {
		if r.ServiceSID != "" && r.ServiceSID != serviceSID || r.Channel != "" && r.Channel != c || r.Country != "" && r.Country != country {
			continue
		}
		if !found || weight(r) > weight(best) {
			best, found = r, true
		}
	}
	return best, found
}

// Geography lists the rules of an account.
func (e *Engine) Geography(ctx context.Context, accountSID string) (Geography, error) {
	return e.directory.geography(ctx, accountSID)
}

// GeoChange is a wish to change rules: one for every country and every channel that it names.
type GeoChange struct {
	ServiceSID string   // "" for the account's own rules
	Channels   []string // empty for a rule about all of them
	// Countries in ISO 3166-1 alpha-2; "all" alone is a rule about all countries.
	Countries []string
	// Permission is "allow", "deny", or "inherit" to remove the rule.
	Permission string
}

// The permissions of a GeoChange.
const (
	Allow   = "allow"
	Deny    = "deny"
	Inherit = "inherit"
)

// ChangeGeography adds, changes or removes rules, all or none. A refusal names the parameter.
func (e *Engine) ChangeGeography(ctx context.Context, accountSID string, c GeoChange) (Geography, error) {
	rules, err := c.rules(accountSID)
	if err != nil {
		return nil, err
	}
	if c.ServiceSID != "" {
		if _, err := e.Service(ctx, accountSID, c.ServiceSID); err != nil {
			return nil, err
		}
	}
	var after Geography
	err = e.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Account(accountSID); err != nil {
			return err
		}
		before, err := tx.GeoRules(accountSID)
		if err != nil {
			return err
		}
		after = slices.DeleteFunc(slices.Clone(before), func(r GeoRule) bool {
			return slices.ContainsFunc(rules, func(changed GeoRule) bool { return changed.about() == r.about() })
		})
		for _, r := range rules {
			if c.Permission == Inherit {
				tx.DeleteGeoRule(r)
				continue
			}
			tx.PutGeoRule(r)
			after = append(after, r)
		}
		return nil
	})
	after.sort()
	return after, err
}

// sort brings rules into the order in which people read them: the account's own first, then those
// about all countries, then by country and channel.
func (g Geography) sort() {
	slices.SortFunc(g, func(a, b GeoRule) int {
		return strings.Compare(a.ServiceSID+"/"+a.Country+"/"+string(a.Channel), b.ServiceSID+"/"+b.Country+"/"+string(b.Channel))
	})
}

// rules are the rules that a change is about.
func (c GeoChange) rules(accountSID string) ([]GeoRule, error) {
	if !slices.Contains(Permissions, c.Permission) {
		return nil, invalid("Permission")
	}
	countries, err := ReadCountries(c.Countries)
	if err != nil {
		return nil, err
	}
	channels := c.Channels
	if len(channels) == 0 {
		channels = []string{""}
	}
	var rules []GeoRule
	for _, name := range channels {
		if _, known := channelRules[Channel(name)]; name != "" && (!known || Channel(name) == Email) {
			return nil, invalid("Channel")
		}
		for _, country := range countries {
			rules = append(rules, GeoRule{accountSID, c.ServiceSID, Channel(name), country, c.Permission == Allow})
		}
	}
	return rules, nil
}

// ReadCountries reads country codes in any case; "all" is "". A code that no telephone number has is
// refused, because it can only be a mistake.
func ReadCountries(codes []string) ([]string, error) {
	if len(codes) == 0 {
		return nil, missing("Country")
	}
	if len(codes) == 1 && strings.EqualFold(codes[0], "all") {
		return []string{""}, nil
	}
	var countries []string
	for _, code := range codes {
		country := strings.ToUpper(strings.TrimSpace(code))
		if !phone.IsCountry(country) {
			return nil, &Error{Code: CodeInvalidParameter, Param: "Country", Value: code}
		}
		countries = append(countries, country)
	}
	return countries, nil
}

// blocked is the refusal of a start to a country that is not allowed, nil if it is. The safe list and RiskCheck=disable are
// for text messages alone (core reference, sections 3.2 and 12).
func (e *Engine) blocked(ctx context.Context, s *Service, w *wish) (*Error, error) {
	if w.channel == Email {
		return nil, nil
	}
	g, err := e.directory.geography(ctx, s.AccountSID)
	if err != nil {
		return nil, err
	}
	rule, found := g.Find(s.SID, w.channel, w.country)
	if e.Blocked != nil && e.Blocked(w.to, w.channel) {
		rule, found = GeoRule{AccountSID: s.AccountSID}, true
	}
	if !found || rule.Allowed {
		return nil, nil
	}
	if w.channel == SMS {
		if w.RiskCheck == "disable" {
			return nil, nil
		}
		err := e.Store.View(ctx, func(tx Tx) error {
			_, err := tx.SafeNumber(s.AccountSID, w.to)
			return err
		})
		if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	return &Error{Code: CodeGeoBlocked, Text: geoText(rule, w)}, nil
}

// geoText is Twilio's text; it knows no rules of a service, so the end is ours then.
func geoText(rule GeoRule, w *wish) string {
	country := w.country
	if country == "" {
		country = "ZZ" // ISO 3166-1 leaves it to users; libphonenumber's name for no country
	}
	where := "all services"
	if rule.ServiceSID != "" {
		where = "this service"
	}
	return fmt.Sprintf("The destination phone number has been blocked by Verify Geo-Permissions. %s is blocked for %s channel for %s",
		country, w.channel, where)
}
