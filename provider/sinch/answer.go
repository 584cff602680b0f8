package sinch

import (
	"encoding/json"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer is the batch, or an error.
type answer struct {
	ID   httpsend.Scalar `json:"id"`
	Code httpsend.Scalar `json:"code"`
	Text string          `json:"text"`
}

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() {
		return provider.Accepted{ID: httpsend.ID(string(read.ID))}, nil
	}
	httpsend.Codes(nil).Refine(refusal, string(read.Code), read.Text)
	return provider.Accepted{}, refusal
}
