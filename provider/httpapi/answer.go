package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Every function here reads what somebody else's program wrote, and is fuzzed.

const (
	// maxID is what a column and a log line can hold. A longer identifier is none.
	maxID = 255
	// maxRetryAfter is longer than any code lives.
	maxRetryAfter = 24 * time.Hour
)

// answer is the body, both of an acceptance and of an error. Fields of another type than these
// are taken as absent, and do not spoil the rest.
type answer struct {
	ID    scalar `json:"id"`
	Parts int    `json:"parts"`
	Price struct {
		Amount   scalar `json:"amount"`
		Currency scalar `json:"currency"`
	} `json:"price"`
	Error *struct {
		Class      scalar  `json:"class"`
		Code       scalar  `json:"code"`
		Message    scalar  `json:"message"`
		RetryAfter float64 `json:"retry_after"`
	} `json:"error"`
}

// scalar is a text that may come as a number: "58" and 58 are one code.
type scalar string

// UnmarshalJSON never fails: a gateway that gives its id as a list has still sent the message.
func (s *scalar) UnmarshalJSON(b []byte) error {
	var text string
	switch {
	case json.Unmarshal(b, &text) == nil:
		*s = scalar(text)
	case bytes.ContainsAny(b[:1], "-0123456789"):
		*s = scalar(b)
	}
	return nil
}

// readAnswer gives either the acceptance or the error that an answer means. The class in the body
// wins over the status; the error's Code and Detail may hold what the gateway was sent.
func readAnswer(status int, h http.Header, body []byte, now time.Time) (provider.Accepted, *provider.Error) {
	var a answer
	readable := json.Valid(body)
	if readable {
		// What remains are fields of the wrong type: see answer.
		_ = json.Unmarshal(body, &a)
	}
	if status/100 == 2 && a.Error == nil {
		return provider.Accepted{ID: a.id(), Parts: max(a.Parts, 0), Price: a.price()}, nil
	}

	e := &provider.Error{
		Class:      statusClass(status),
		Code:       strconv.Itoa(status),
		Detail:     fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)),
		RetryAfter: retryAfter(h.Get("Retry-After"), now),
	}
	if a.Error == nil {
		if !readable && len(body) > 0 {
			e.Detail += ": " + string(body)
		}
		return provider.Accepted{}, e
	}
	if class, ok := provider.ParseClass(string(a.Error.Class)); ok {
		e.Class = class
	}
	if a.Error.Code != "" {
		e.Code = string(a.Error.Code)
	}
	if a.Error.Message != "" {
		e.Detail = string(a.Error.Message)
	}
	if wait := seconds(a.Error.RetryAfter); wait > 0 {
		e.RetryAfter = wait
	}
	return provider.Accepted{}, e
}

// statusClass is the table of docs/providers/httpapi.md. Statuses that it does not name are
// judged by their hundred.
func statusClass(status int) provider.Class {
	switch status {
	case http.StatusTooManyRequests:
		return provider.Throttled
	case http.StatusServiceUnavailable, http.StatusTooEarly:
		return provider.Temporary
	case http.StatusRequestTimeout: // from a proxy that waited for the gateway
		return provider.Unknown
	}
	switch status / 100 {
	case 3, 4: // a redirect is not followed
		return provider.BadRequest
	}
	// 500, 502, 504: the gateway may have passed it on. A 2xx that holds an error is as unclear.
	return provider.Unknown
}

func (a answer) id() string {
	id := string(a.ID)
	if len(id) > maxID || strings.ContainsFunc(id, control) {
		return ""
	}
	return id
}

var (
	amount   = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// price is all or nothing: an amount without a currency would be added to another's.
func (a answer) price() provider.Price {
	p := provider.Price{Amount: string(a.Price.Amount), Currency: string(a.Price.Currency)}
	if !amount.MatchString(p.Amount) || !currency.MatchString(p.Currency) {
		return provider.Price{}
	}
	return p
}

// retryAfter reads the header of RFC 9110, 10.2.3: seconds or a date. What cannot be read, and
// what lies in the past, is 0.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		return seconds(float64(n))
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

func seconds(n float64) time.Duration {
	switch {
	case n >= maxRetryAfter.Seconds():
		return maxRetryAfter
	case n > 0:
		return time.Duration(n * float64(time.Second))
	}
	return 0
}
