package aws

import (
	"encoding/json"
	"strings"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// answer is the output, or an exception.
type answer struct {
	MessageID         httpsend.Scalar `json:"MessageId"`
	Type              string          `json:"__type"`
	Reason            string          `json:"Reason"`
	Message           string          `json:"Message"` // "message" is read too: names have no case
	RetryAfterSeconds float64         `json:"RetryAfterSeconds"`
}

// readAnswer gives either the acceptance or the error that an answer means.
func readAnswer(a httpsend.Answer, refusal *provider.Error) (provider.Accepted, *provider.Error) {
	var read answer
	_ = json.Unmarshal(a.Body, &read) // what cannot be read is judged by the status
	if a.OK() {
		return provider.Accepted{ID: httpsend.ID(string(read.MessageID))}, nil
	}
	// "com.amazonaws.pinpointsmsvoicev2#ThrottlingException", with or without what stands before it.
	name := read.Type[strings.LastIndexByte(read.Type, '#')+1:]
	refusals.Refine(refusal, name, read.Message)
	refusals.Refine(refusal, read.Reason, "")
	if wait := httpsend.Seconds(read.RetryAfterSeconds); wait > 0 {
		refusal.RetryAfter = wait
	}
	return provider.Accepted{}, refusal
}
