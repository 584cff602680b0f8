package msg91

import (
	"encoding/json"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer holds the identifier or the reason in message, by its type.
type answer struct {
	Type    string          `json:"type"`
	Message httpsend.Scalar `json:"message"`
	Code    httpsend.Scalar `json:"code"`
}

// readAnswer gives either the acceptance or the error that an answer means. A refusal inside a 200 is
// of our request: MSG91 looks at the number later.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read has no type
	if a.OK() && read.Type == "success" {
		return provider.Accepted{ID: httpsend.ID(string(read.Message))}, nil
	}
	if a.OK() && read.Type == "error" {
		refusal.Class = provider.BadRequest
	}
	httpsend.Codes(nil).Refine(refusal, string(read.Code), string(read.Message))
	return provider.Accepted{}, refusal
}
