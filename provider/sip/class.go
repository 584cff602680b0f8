package sip

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// final is a last answer to an INVITE: the status, and the cause that a telephone exchange gave for
// it (Q.850, in the header Reason of RFC 3326), 0 if none.
type final struct {
	status, cause int
	reason        string // the words behind the status
	retryAfter    time.Duration
}

// busyWait is how long a busy telephone is left alone.
const busyWait = 20 * time.Second

// noSuchNumber are the causes of Q.850 that speak of the number: unallocated, changed, invalid.
var noSuchNumber = []int{1, 22, 28}

// class is the table of docs/providers/sip.md.
func (f final) class() provider.Class {
	switch f.status {
	case 404, 410, 484, 604:
		// A trunk says 404 also where it has no route: only the exchange knows the number.
		if slices.Contains(noSuchNumber, f.cause) {
			return provider.BadRecipient
		}
		return provider.BadRequest
	case 603, 607, 608: // the person declined
		return provider.BadRecipient
	case 408, 480, 481, 486, 487, 491, 600:
		return provider.Temporary
	case 429:
		return provider.Throttled
	case 503:
		if f.retryAfter > 0 || f.cause == 34 || f.cause == 42 {
			return provider.Throttled
		}
		return provider.Temporary
	case 500, 502, 504:
		return provider.Temporary
	}
	// Everything else is about what we asked for, or about who we are: 3xx (we follow nobody), 401, 403,
	// 407, 415, 420, 488, 501, 606.
	return provider.BadRequest
}

// code is the answer as the operator sees it: "486", or "404 Q.850 1".
func (f final) code() string {
	code := strconv.Itoa(f.status)
	if f.cause > 0 {
		code += " Q.850 " + strconv.Itoa(f.cause)
	}
	return code
}

// wait is how long to leave the number or the trunk alone.
func (f final) wait() time.Duration {
	if f.retryAfter == 0 && (f.status == 486 || f.status == 600) {
		return busyWait
	}
	return f.retryAfter
}

var causeShape = regexp.MustCompile(`(?i)^\s*Q\.850\s*;(?:.*;)?\s*cause\s*=\s*([0-9]{1,3})\b`)

// readCause is the cause in a header Reason like `Q.850;cause=17;text="User busy"`, 0 if it has none.
func readCause(reason string) int {
	found := causeShape.FindStringSubmatch(reason)
	if found == nil {
		return 0
	}
	cause, _ := strconv.Atoi(found[1])
	return cause
}

// maxRetryAfter is what we believe.
const maxRetryAfter = time.Hour

// readRetryAfter reads "120 (overload);duration=60" (RFC 3261, 20.33).
func readRetryAfter(value string) time.Duration {
	end := strings.IndexFunc(value, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(value)
	}
	seconds, err := strconv.ParseUint(value[:end], 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}
