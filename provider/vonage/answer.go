package vonage

import (
	"encoding/json"
	"math/big"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer has a part for each SMS that the text became.
type answer struct {
	Messages []struct {
		ID     httpsend.Scalar `json:"message-id"`
		Status httpsend.Scalar `json:"status"`
		Error  string          `json:"error-text"`
		Price  httpsend.Scalar `json:"message-price"`
	} `json:"messages"`
}

// readAnswer gives either the acceptance or the error that an answer means. Where a part was taken
// and another refused, nobody knows what the person will read.
func (p *Provider) readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read has no parts
	if !a.OK() || len(read.Messages) == 0 {
		return provider.Accepted{}, refusal
	}
	taken, sum := 0, new(big.Rat)
	for _, part := range read.Messages {
		if part.Status == "0" {
			taken++
			if price, ok := new(big.Rat).SetString(string(httpsend.Price(string(part.Price), p.currency).Amount)); ok {
				sum.Add(sum, price)
			}
			continue
		}
		refusal.Class = provider.BadRequest
		refusals.Refine(refusal, string(part.Status), part.Error)
	}
	switch {
	case taken == 0:
		return provider.Accepted{}, refusal
	case taken < len(read.Messages):
		refusal.Class = provider.Unknown
		return provider.Accepted{}, refusal
	}
	accepted := provider.Accepted{ID: httpsend.ID(string(read.Messages[0].ID)), Parts: taken}
	if sum.Sign() > 0 {
		accepted.Price = httpsend.Price(sum.FloatString(8), p.currency)
	}
	return accepted, nil
}
