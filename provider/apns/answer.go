package apns

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Refusals that are not the end, by status and reason as they stand in Error.Code.
const (
	badDeviceToken       = "400 BadDeviceToken"
	expiredProviderToken = "403 ExpiredProviderToken"
)

// classes are the reasons that mean something else than their status, from "Handling notification
// responses from APNs" in Apple's documentation of UserNotifications.
var classes = map[string]provider.Class{
	"BadDeviceToken":         provider.BadRecipient,
	"DeviceTokenNotForTopic": provider.BadRecipient,
	"Unregistered":           provider.BadRecipient,
	"ExpiredToken":           provider.BadRecipient,
	"IdleTimeout":            provider.Temporary,
	"InternalServerError":    provider.Temporary,
	"ServiceUnavailable":     provider.Temporary,
	"Shutdown":               provider.Temporary,
}

// readRefusal makes of e, which is what the status says, what the answer says.
func readRefusal(a httpsend.Answer, e *provider.Error) *provider.Error {
	var b struct {
		Reason    httpsend.Scalar `json:"reason"`
		Timestamp float64         `json:"timestamp"` // of a 410, in milliseconds
	}
	if json.Valid(a.Body) {
		_ = json.Unmarshal(a.Body, &b) // fields of another type are taken as absent
	}
	if a.Status == http.StatusGone {
		e.Class = provider.BadRecipient
	}
	if class, ok := classes[string(b.Reason)]; ok {
		e.Class = class
	}
	if b.Reason != "" {
		e.Code += " " + string(b.Reason)
	}
	// A handset that registered anew since then is not the one that has gone.
	if b.Timestamp > 0 && b.Timestamp < maxTimestamp {
		e.Detail += ", since " + time.UnixMilli(int64(b.Timestamp)).UTC().Format(time.RFC3339)
	}
	return e
}

// maxTimestamp is the year 9999, in milliseconds.
const maxTimestamp = 253_402_300_800_000
