package telnyx

import (
	"encoding/json"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer has either data or errors.
type answer struct {
	Data struct {
		ID    httpsend.Scalar `json:"id"`
		Parts int             `json:"parts"`
		Cost  cost            `json:"cost"`
	} `json:"data"`
	Errors []vendorError `json:"errors"`
}

type cost struct {
	Amount   httpsend.Scalar `json:"amount"`
	Currency httpsend.Scalar `json:"currency"`
}

func (c cost) price() provider.Price { return httpsend.Price(string(c.Amount), string(c.Currency)) }

type vendorError struct {
	Code   httpsend.Scalar `json:"code"`
	Title  string          `json:"title"`
	Detail string          `json:"detail"`
}

func (e vendorError) words() string {
	if e.Detail == "" {
		return e.Title
	}
	return e.Title + ": " + e.Detail
}

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() {
		return provider.Accepted{
			ID: httpsend.ID(string(read.Data.ID)), Parts: max(read.Data.Parts, 0), Price: read.Data.Cost.price(),
		}, nil
	}
	if len(read.Errors) > 0 {
		codes.Refine(refusal, string(read.Errors[0].Code), read.Errors[0].words())
	}
	return provider.Accepted{}, refusal
}
