package twilio

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// message is a Message or Call resource, or an error.
type message struct {
	SID         string          `json:"sid"`
	NumSegments httpsend.Scalar `json:"num_segments"`
	Price       httpsend.Scalar `json:"price"` // negative, once it is known
	PriceUnit   httpsend.Scalar `json:"price_unit"`

	Code    httpsend.Scalar `json:"code"`
	Message string          `json:"message"`
}

// readAnswer gives either the acceptance or the error that an answer means, by the codes of its kind.
func readAnswer(a httpsend.Answer, codes httpsend.Codes, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var m message
	_ = json.Unmarshal(a.Body, &m) // what cannot be read is judged by the status
	if a.OK() {
		parts, _ := strconv.ParseUint(string(m.NumSegments), 10, 8) // "0" until a sender is chosen
		return provider.Accepted{
			ID:    httpsend.ID(m.SID),
			Parts: int(parts),
			Price: httpsend.Price(strings.TrimPrefix(string(m.Price), "-"), strings.ToUpper(string(m.PriceUnit))),
		}, nil
	}
	codes.Refine(refusal, string(m.Code), m.Message)
	return provider.Accepted{}, refusal
}
