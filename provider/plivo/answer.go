package plivo

import (
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer is the acceptance, or an error by itself. The error is a text or an object of texts.
type answer struct {
	UUIDs       []httpsend.Scalar `json:"message_uuid"`
	RequestUUID httpsend.Scalar   `json:"request_uuid"` // of a call
	Error       json.RawMessage   `json:"error"`
}

var ofDestination = regexp.MustCompile(`\bdst\b`)

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() {
		id := httpsend.ID(string(read.RequestUUID))
		if len(read.UUIDs) > 0 {
			id = httpsend.ID(string(read.UUIDs[0]))
		}
		return provider.Accepted{ID: id}, nil
	}
	if len(read.Error) > 0 {
		refusal.Detail = string(read.Error)
		if a.Status == http.StatusBadRequest && ofDestination.Match(read.Error) {
			refusal.Class = provider.BadRecipient
		}
	}
	return provider.Accepted{}, refusal
}
