package infobip

import (
	"encoding/json"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer is the acceptance, or an error by itself.
type answer struct {
	Messages []struct {
		MessageID httpsend.Scalar `json:"messageId"`
		Status    status          `json:"status"`
		Details   struct {
			MessageCount int `json:"messageCount"`
		} `json:"details"`
	} `json:"messages"`

	ErrorCode   httpsend.Scalar `json:"errorCode"`
	Description string          `json:"description"`
}

type status struct {
	ID          httpsend.Scalar `json:"id"`
	GroupName   string          `json:"groupName"`
	Description string          `json:"description"`
}

// readAnswer gives either the acceptance or the error that an answer means; key is the name that
// the message was sent under.
func readAnswer(a httpsend.Answer, key string, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read has no message
	if !a.OK() || len(read.Messages) == 0 {
		httpsend.Codes(nil).Refine(refusal, string(read.ErrorCode), read.Description)
		return provider.Accepted{}, refusal
	}
	m := read.Messages[0]
	id := httpsend.ID(string(m.MessageID))
	switch m.Status.GroupName {
	case "PENDING", "ACCEPTED", "DELIVERED":
		return provider.Accepted{ID: id, Parts: max(m.Details.MessageCount, 0)}, nil
	case "REJECTED":
		if m.Status.ID == duplicate {
			return provider.Accepted{ID: key}, nil
		}
		refusal.Class = provider.BadRequest
	case "UNDELIVERABLE", "EXPIRED":
		refusal.Class = provider.Temporary
	}
	statuses.Refine(refusal, string(m.Status.ID), m.Status.Description)
	return provider.Accepted{}, refusal
}
