package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Deps is what a provider is lent by the server that runs it.
type Deps struct {
	Log  *slog.Logger     // has the provider's name in it already; nil is nowhere
	HTTP *http.Client     // whose transport is shared, for calls of the vendor; nil is one of the provider's own
	Now  func() time.Time // nil is time.Now
	// Report records what the carrier says about a message. When it returns nil the report is kept
	// for good and may be acknowledged.
	Report func(context.Context, Report) error
	// ReportURL is the public address under which ServeReport is called, "" where the server does not
	// know how it is reached. It is for carriers that are told it with every message; ask when sending,
	// not in the constructor. nil is "".
	ReportURL func() string
}

// Builder makes a provider from its configuration, given as JSON.
type Builder func(config json.RawMessage, deps Deps) (Provider, error)

// Build turns a typed constructor into a Builder. Unknown keys are errors, so that a misspelt
// setting is found at start and not at the first message.
func Build[C any, P Provider](construct func(C, Deps) (P, error)) Builder {
	return func(config json.RawMessage, deps Deps) (Provider, error) {
		var c C
		d := json.NewDecoder(bytes.NewReader(config))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		return construct(c, deps)
	}
}
