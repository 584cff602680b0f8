package whatsapp

import (
	"encoding/json"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer has either messages or an error.
type answer struct {
	Messages []struct {
		ID httpsend.Scalar `json:"id"`
	} `json:"messages"`
	Error *vendorError `json:"error"`
}

type vendorError struct {
	Code    httpsend.Scalar `json:"code"`
	Message string          `json:"message"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

func (e vendorError) words() string {
	if e.Data.Details == "" {
		return e.Message
	}
	return e.Message + ": " + e.Data.Details
}

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() && read.Error == nil {
		id := ""
		if len(read.Messages) > 0 {
			id = httpsend.ID(string(read.Messages[0].ID))
		}
		return provider.Accepted{ID: id}, nil
	}
	if read.Error != nil {
		codes.Refine(refusal, string(read.Error.Code), read.Error.words())
		if read.Error.Code == pairRate {
			refusal.RetryAfter = max(refusal.RetryAfter, pairPause)
		}
	}
	return provider.Accepted{}, refusal
}
