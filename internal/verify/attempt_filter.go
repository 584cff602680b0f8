package verify

import (
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/mailaddr"
	"github.com/verifyd/verifyd/internal/phone"
	"github.com/verifyd/verifyd/internal/sid"
)

// attemptsSeen is how far back the Attempts API sees (core reference, section 11.1).
const attemptsSeen = 30 * 24 * time.Hour

// attemptsFrom is the first moment of which attempts are seen: the first whole hour that is not older
// than attemptsSeen, nor than the records that are kept, whatever else a store still has. So list and
// summary see the same, and the summary of everything needs nothing but counters.
func (e *Engine) attemptsFrom(now time.Time) time.Time {
	oldest := now.Add(-min(attemptsSeen, e.Retention.records()))
	from := oldest.Truncate(time.Hour)
	if from.Before(oldest) {
		from = from.Add(time.Hour)
	}
	return from
}

// Conversion is whether the code of an attempt came back.
type Conversion string

// The conversions, as the API spells them.
const (
	Converted   Conversion = "converted"
	Unconverted Conversion = "unconverted"
)

// AttemptQuery are the filters of a list or a summary as they were sent; "" means "not sent".
type AttemptQuery struct {
	DateCreatedAfter  string // RFC 3339; attempts of this very moment are in
	DateCreatedBefore string // those of this very moment are not
	To                string // of the list: one address
	DestinationPrefix string // of the summary: how a number begins
	Country           string // ISO 3166-1 alpha-2
	Channel           string // the API's word: "rbm" is RCS
	ServiceSID        string
	VerificationSID   string // of the list
	Status            string // of the list: converted or unconverted, in any case
}

// AttemptFilter says which attempts of an account are meant; a field at its zero value lets all
// through.
type AttemptFilter struct {
	AccountSID string
	ServiceSID string
	Channel    Channel
	Country    string
	Conversion Conversion
	To         string // an address
	Prefix     string // a plus sign and digits
	// From and Before are the range of keys (sid.Key): From is in, Before is not.
	From, Before int64
}

// filter reads the parameters. Attempts are seen from from on; now is the time of the request.
func (q AttemptQuery) filter(accountSID string, from, now time.Time) (AttemptFilter, error) {
	f := AttemptFilter{AccountSID: accountSID, ServiceSID: q.ServiceSID, Country: strings.ToUpper(q.Country), Prefix: restorePlus(q.DestinationPrefix)}
	if q.ServiceSID != "" && !sid.Valid(sid.Service, q.ServiceSID) {
		return f, invalid("VerifyServiceSid")
	}
	if q.VerificationSID != "" && !sid.Valid(sid.Verification, q.VerificationSID) {
		return f, invalid("VerificationSid")
	}
	if q.Country != "" && !validCountry(f.Country) {
		return f, invalid("Country")
	}
	if q.DestinationPrefix != "" && !validPrefix(f.Prefix) {
		return f, invalid("DestinationPrefix")
	}
	var ok bool
	if f.Channel, ok = attemptChannel(q.Channel); !ok {
		return f, invalid("Channel")
	}
	switch f.Conversion = Conversion(strings.ToLower(q.Status)); f.Conversion {
	case "", Converted, Unconverted:
	default:
		return f, invalid("Status")
	}
	if q.To != "" {
		if f.To, ok = attemptAddress(q.To); !ok {
			return f, invalid("ChannelData.To")
		}
	}
	return f, f.readRange(q, from, now)
}

func (f *AttemptFilter) readRange(q AttemptQuery, from, now time.Time) error {
	f.From, f.Before = sid.KeyAt(from), sid.KeyAt(now.Truncate(time.Hour).Add(time.Hour))
	if q.DateCreatedAfter != "" {
		at, ok := parseTime(q.DateCreatedAfter)
		if !ok {
			return invalid("DateCreatedAfter")
		}
		f.From = max(f.From, sid.KeyAt(at))
	}
	if q.DateCreatedBefore != "" {
		at, ok := parseTime(q.DateCreatedBefore)
		if !ok {
			return invalid("DateCreatedBefore")
		}
		f.Before = min(f.Before, sid.KeyAt(at))
	}
	f.Before = max(f.Before, f.From)
	return nil
}

// parseTime reads RFC 3339 with any offset: twilio-go sends the local one. A plus sign that became
// a space in a query is one again.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1))
	return t, err == nil
}

func validCountry(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}

func validPrefix(s string) bool {
	return 2 <= len(s) && len(s) <= 16 && s[0] == '+' && strings.Trim(s[1:], "0123456789") == ""
}

// attemptChannel reads the API's word for the channel of an attempt.
func attemptChannel(s string) (Channel, bool) {
	if s == "" {
		return "", true
	}
	for _, c := range Channels() {
		if c.AttemptName() == s {
			return c, true
		}
	}
	return "", false
}

// attemptAddress reads an address in the form that attempts have it in.
func attemptAddress(s string) (string, bool) {
	if to, _, ok := mailaddr.Parse(s); ok {
		return to, true
	}
	n, ok := phone.Parse(restorePlus(s))
	return n.E164(), ok
}

// matches holds one attempt against the filter.
func (f AttemptFilter) matches(a *Attempt) bool {
	key := sid.Key(a.SID)
	return a.AccountSID == f.AccountSID && f.From <= key && key < f.Before &&
		(f.ServiceSID == "" || f.ServiceSID == a.ServiceSID) &&
		(f.Channel == "" || f.Channel == a.Channel) &&
		(f.Country == "" || f.Country == a.Country) &&
		(f.To == "" || f.To == a.To) &&
		(f.Conversion == "" || f.Conversion == a.Conversion())
}
