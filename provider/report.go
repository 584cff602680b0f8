package provider

import (
	"context"
	"net/http"
	"time"
)

// Report is what a carrier says about a message after it took it. It may come before Send has
// returned, twice, out of order, or never.
type Report struct {
	// ID is the carrier's identifier of the message, as Accepted gave it.
	ID string
	// Key is the message's Key where the carrier echoes it; one of ID and Key is set.
	Key string
	// State is what became of it.
	State ReportState
	// Class says what a failure means; it is set when State is Failed.
	Class Class
	// Code is the carrier's own code for a failure, verbatim.
	Code string
	// At is when it happened by the carrier's clock, the zero time if the carrier does not say.
	At time.Time
	// Price is what the message cost, where the report says so.
	Price Price
	// MCC and MNC are the network that took the message, "" if the carrier does not say.
	MCC, MNC string
}

// ReportState is what a report says became of a message.
type ReportState int

// The states of a report. Whatever else a carrier says changes nothing and is not reported.
const (
	Delivered ReportState = iota + 1
	Read
	Failed
	// NotRevoked: the carrier wanted to take the message back, because its time was over, and could not.
	// It may arrive yet, so its code goes on by no other channel.
	NotRevoked
)

// Reporter is a Provider whose carrier reports by calling a URL. ServeReport proves that the call
// comes from the carrier, reads it, has every report recorded (Deps.Report), and only then answers.
type Reporter interface {
	ServeReport(w http.ResponseWriter, r *http.Request)
}

// Runner is a Provider that keeps a connection to its carrier. Run returns when ctx ends, or when
// the provider can never work; a lost connection is its own to mend.
type Runner interface {
	Run(ctx context.Context) error
}
