package africastalking

import (
	"encoding/json"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

type answer struct {
	Data struct {
		Message    string `json:"Message"`
		Recipients []struct {
			StatusCode httpsend.Scalar `json:"statusCode"`
			Status     string          `json:"status"`
			MessageID  httpsend.Scalar `json:"messageId"`
			Cost       string          `json:"cost"` // "KES 0.8000"
			Parts      int             `json:"messageParts"`
		} `json:"Recipients"`
	} `json:"SMSMessageData"`
}

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read has no recipient
	switch {
	case !a.OK():
		if len(a.Body) > 0 {
			refusal.Detail += ": " + string(a.Body) // one line of text
		}
		return provider.Accepted{}, refusal
	case len(read.Data.Recipients) == 0:
		if read.Data.Message != "" { // "InvalidSenderId": nobody was sent anything
			refusal.Class, refusal.Detail = provider.BadRequest, read.Data.Message
		}
		return provider.Accepted{}, refusal
	}
	r := read.Data.Recipients[0]
	switch r.StatusCode {
	case "100", "101", "102":
		currency, amount, _ := strings.Cut(r.Cost, " ")
		return provider.Accepted{ID: httpsend.ID(string(r.MessageID)), Parts: max(r.Parts, 0), Price: httpsend.Price(amount, currency)}, nil
	}
	refusals.Refine(refusal, string(r.StatusCode), r.Status)
	return provider.Accepted{}, refusal
}
