package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Age is how long something is kept: "30d", or a duration as Go writes it, "36h".
type Age time.Duration

const (
	day = 24 * time.Hour
	// maxAge keeps arithmetic with dates inside its bounds.
	maxAge = 36500 * day
)

var errAge = errors.New(`an age is a number of days such as "30d", or of hours such as "36h"`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Age) UnmarshalText(text []byte) error {
	if days, found := strings.CutSuffix(string(text), "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || time.Duration(n)*day > maxAge {
			return errAge
		}
		*a = Age(time.Duration(n) * day)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 || d > maxAge {
		return errAge
	}
	*a = Age(d)
	return nil
}

// String writes whole days as days.
func (a Age) String() string {
	if d := time.Duration(a); d%day != 0 {
		return d.String()
	}
	return strconv.Itoa(int(time.Duration(a)/day)) + "d"
}
