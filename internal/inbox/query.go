package inbox

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultPage = 50
	maxPage     = 1000
	maxWait     = time.Minute
)

var channels = []string{"sms", "call", "email", "whatsapp", "rcs", "push"}

// Query says which messages are meant. The zero Query means the newest 50.
type Query struct {
	// To is the whole destination; e-mail addresses are compared without regard to ASCII case.
	To string
	// Channel is "sms", "call", "email", "whatsapp", "rcs" or "push".
	Channel string
	// Code is the passcode in the message.
	Code string
	// After is a message's SID: only newer ones are meant. That message need not exist any more.
	After string
	// Pending leaves out messages whose verification is over: their codes open nothing any more.
	Pending bool
	// Limit is the number of messages at most, the newest; 0 is 50.
	Limit int
}

func (q Query) limit() int {
	if q.Limit <= 0 {
		return defaultPage
	}
	return q.Limit
}

// matcher looks at all but After, Pending and Limit.
func (q Query) matcher() func(*Message) bool {
	to := foldDestination(q.To)
	return func(m *Message) bool {
		return (to == "" || m.key == to) &&
			(q.Channel == "" || m.Channel == q.Channel) &&
			(q.Code == "" || m.Code == q.Code)
	}
}

// parameters are a Query and the parameters that only HTTP has.
type parameters struct {
	Query
	wait time.Duration
	json bool // asked for by name
}

// badParameter is the name of the parameter that is wrong.
type badParameter string

func (e badParameter) Error() string { return "Invalid parameter: " + string(e) }

// parseParameters reads a query string. A parameter without a value counts as absent, so that a
// script may write after=$last before there is a last; unknown ones are ignored.
func parseParameters(raw string) (parameters, error) {
	values, err := parseValues(raw)
	if err != nil {
		return parameters{}, err
	}
	p := parameters{Query: Query{
		To:      destination(values["to"]),
		Channel: values["channel"],
		Code:    values["code"],
		After:   values["after"],
	}}
	// A misspelt channel would be waited for in vain.
	if p.Channel != "" && !slices.Contains(channels, p.Channel) {
		return parameters{}, badParameter("channel")
	}
	if p.After != "" && !validSID(p.After) {
		return parameters{}, badParameter("after")
	}
	if v := values["wait"]; v != "" {
		if p.wait, err = time.ParseDuration(v); err != nil || p.wait < 0 {
			return parameters{}, badParameter("wait")
		}
		p.wait = min(p.wait, maxWait)
	}
	if v := values["limit"]; v != "" {
		if p.Limit, err = strconv.Atoi(v); err != nil || p.Limit < 1 || p.Limit > maxPage {
			return parameters{}, badParameter("limit")
		}
	}
	switch values["pending"] {
	case "", "false":
	case "true":
		p.Pending = true
	default:
		return parameters{}, badParameter("pending")
	}
	switch values["format"] {
	case "":
	case "json":
		p.json = true
	default:
		return parameters{}, badParameter("format")
	}
	return p, nil
}

// parseValues takes the first of repeated keys. A raw ';' is an ordinary character; url.ParseQuery
// would drop the whole pair.
func parseValues(raw string) (map[string]string, error) {
	values := make(map[string]string)
	for pair := range strings.SplitSeq(raw, "&") {
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(rawKey)
		if err != nil {
			return nil, badParameter(rawKey)
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return nil, badParameter(key)
		}
		if _, again := values[key]; !again {
			values[key] = value
		}
	}
	return values, nil
}

// destination forgives the commonest mistake of all: to=+34… in a URL, where + means space. A row
// of digits can be nothing but a number that lost its plus.
func destination(raw string) string {
	to := strings.TrimSpace(raw)
	if to != "" && strings.Trim(to, "0123456789") == "" {
		return "+" + to
	}
	return to
}
