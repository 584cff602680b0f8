package httpsend

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// maxRetryAfter is longer than any code lives.
const maxRetryAfter = 24 * time.Hour

// Class is what a status means where the vendor says nothing more. Statuses that are not named are
// judged by their hundred; a 2xx is Unknown, because Class is asked about failures: an error
// inside a 200 tells nobody whether the message went.
func Class(status int) provider.Class {
	switch status {
	case http.StatusTooManyRequests:
		return provider.Throttled
	case http.StatusServiceUnavailable, http.StatusTooEarly:
		return provider.Temporary
	case http.StatusRequestTimeout: // from a proxy that waited for the far end
		return provider.Unknown
	}
	switch status / 100 {
	case 3, 4: // a redirect is not followed
		return provider.BadRequest
	}
	return provider.Unknown // 500, 502, 504: a gateway may have passed it on
}

// RetryAfter reads the header of RFC 9110, 10.2.3: seconds or a date. It is 0 where there is none,
// or one that cannot be read or lies in the past, and a day at most.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if value == "" {
		return 0
	}
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		return Seconds(float64(n))
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// Seconds is a wait that a vendor states as a number of seconds: 0 for what is none, a day at most.
func Seconds(n float64) time.Duration {
	switch {
	case n >= maxRetryAfter.Seconds():
		return maxRetryAfter
	case n > 0:
		return time.Duration(n * float64(time.Second))
	}
	return 0
}

// Codes are what a vendor's codes mean, by the code.
type Codes map[string]provider.Class

// Table makes Codes of a list of codes for each class, parted by blanks. A code that stands twice
// is a mistake of the program.
func Table(classes map[provider.Class]string) Codes {
	all := Codes{}
	for class, list := range classes {
		for code := range strings.FieldsSeq(list) {
			if _, twice := all[code]; twice {
				panic(fmt.Sprintf("httpsend: the code %s has two classes", code))
			}
			all[code] = class
		}
	}
	return all
}

// Refine writes into a refusal what the vendor says of it: its code, its words, and the class of
// the code, where the table has it. What is empty changes nothing.
func (c Codes) Refine(e *provider.Error, code, words string) {
	if code != "" {
		e.Code = code
	}
	if words != "" {
		e.Detail = words
	}
	if class, ok := c[code]; ok {
		e.Class = class
	}
}

// Of is the class of a code, or otherwise for one that is not in the table.
func (c Codes) Of(code string, otherwise provider.Class) provider.Class {
	if class, ok := c[code]; ok {
		return class
	}
	return otherwise
}
