package httpapi

import (
	"encoding/json"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// The functions here read what somebody else's program wrote, and are fuzzed.

// answer is the body, both of an acceptance and of an error. Fields of another type than these
// are taken as absent, and do not spoil the rest.
type answer struct {
	ID    httpsend.Scalar `json:"id"`
	Parts int             `json:"parts"`
	Price struct {
		Amount   httpsend.Scalar `json:"amount"`
		Currency httpsend.Scalar `json:"currency"`
	} `json:"price"`
	Error *struct {
		Class      httpsend.Scalar `json:"class"`
		Code       httpsend.Scalar `json:"code"`
		Message    httpsend.Scalar `json:"message"`
		RetryAfter float64         `json:"retry_after"`
	} `json:"error"`
}

// readAnswer gives either the acceptance or the error that an answer means. The class in the body
// wins over the status, of which refusal is made; the error's Code and Detail may hold what the
// gateway was sent.
func readAnswer(answered httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var a answer
	readable := json.Valid(answered.Body)
	if readable {
		// What remains are fields of the wrong type: see answer.
		_ = json.Unmarshal(answered.Body, &a)
	}
	if answered.OK() && a.Error == nil {
		return provider.Accepted{
			ID:    httpsend.ID(string(a.ID)),
			Parts: max(a.Parts, 0),
			Price: httpsend.Price(string(a.Price.Amount), string(a.Price.Currency)),
		}, nil
	}

	e := refusal
	if a.Error == nil {
		if !readable && len(answered.Body) > 0 {
			e.Detail += ": " + string(answered.Body)
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
	if wait := httpsend.Seconds(a.Error.RetryAfter); wait > 0 {
		e.RetryAfter = wait
	}
	return provider.Accepted{}, e
}
