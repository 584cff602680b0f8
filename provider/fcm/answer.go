package fcm

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// name is the identifier of a message that was taken, "" where the answer holds none.
func name(body []byte) string {
	var b struct {
		Name httpsend.Scalar `json:"name"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return httpsend.ID(string(b.Name))
}

// refusal is an answer that is no 2xx, as far as it can be read.
type refusal struct {
	http    int
	Message httpsend.Scalar `json:"message"`
	// Status is the canonical code of google.rpc.Code: "NOT_FOUND".
	Status  httpsend.Scalar `json:"status"`
	Details []struct {
		ErrorCode       httpsend.Scalar `json:"errorCode"` // of type FcmError
		FieldViolations []struct {      // of type google.rpc.BadRequest
			Field httpsend.Scalar `json:"field"`
		} `json:"fieldViolations"`
	} `json:"details"`
}

func readRefusal(a httpsend.Answer) refusal {
	var b struct {
		Error refusal `json:"error"`
	}
	if json.Valid(a.Body) {
		_ = json.Unmarshal(a.Body, &b) // fields of another type are taken as absent
	}
	b.Error.http = a.Status
	return b.Error
}

// fcmError is the code of Firebase's own, "" where there is none.
func (r refusal) fcmError() string {
	for _, d := range r.Details {
		if d.ErrorCode != "" {
			return string(d.ErrorCode)
		}
	}
	return ""
}

// code is what is kept for the operator.
func (r refusal) code() string {
	if own := r.fcmError(); own != "" {
		return own
	}
	return string(r.Status)
}

// unauthenticated says that Firebase does not know our token. Another 401 speaks of the credentials
// that it has for Apple.
func (r refusal) unauthenticated() bool {
	return r.http == http.StatusUnauthorized && r.fcmError() != thirdParty
}

// thirdParty is Firebase's code for credentials of Apple's that the project lacks.
const thirdParty = "THIRD_PARTY_AUTH_ERROR"

// classes is the table of firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, and of the
// canonical codes where Firebase gives none of its own. What is not in it is judged by its status.
var classes = map[string]provider.Class{
	"UNREGISTERED":       provider.BadRecipient,
	"SENDER_ID_MISMATCH": provider.BadRecipient, // the app belongs to another project
	"QUOTA_EXCEEDED":     provider.Throttled,
	"RESOURCE_EXHAUSTED": provider.Throttled,
	"UNAVAILABLE":        provider.Temporary,
	"INTERNAL":           provider.Temporary,
	thirdParty:           provider.BadRequest,
}

func (r refusal) class() provider.Class {
	if r.fcmError() == "INVALID_ARGUMENT" && !r.blamesField() {
		return provider.BadRecipient // "not a valid FCM registration token"
	}
	if class, ok := classes[r.code()]; ok {
		return class
	}
	return httpsend.Class(r.http)
}

// blamesField says that a field other than the token is wrong. Nothing else tells a malformed token,
// which is the handset's fault, from a malformed message, which is ours
// (firebase.google.com/docs/cloud-messaging/error-codes).
func (r refusal) blamesField() bool {
	for _, d := range r.Details {
		for _, v := range d.FieldViolations {
			if v.Field != "message.token" {
				return true
			}
		}
	}
	return false
}

// patience is how long to leave Firebase alone where it does not say: a minute after a quota, ten
// seconds and a little after a fault (firebase.google.com/docs/cloud-messaging/scale-fcm).
func (r refusal) patience(jitter func() time.Duration) time.Duration {
	switch r.class() {
	case provider.Throttled:
		return time.Minute
	case provider.Temporary:
		return 10*time.Second + jitter()
	}
	return 0
}
