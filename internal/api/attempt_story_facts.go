package api

import "github.com/verifyd/verifyd/internal/verify"

func storyFacts() Resource {
	outcomes := []string{"accepted", "bad_recipient", "bad_request", "temporary", "throttled", "unknown", "delivered", "read", "undelivered",
		"not_revoked", string(verify.Revoked), string(verify.Kept), string(verify.Unclear)}
	kinds := []string{handedOver, string(verify.StepPassed), string(verify.StepBooked), string(verify.StepReport), string(verify.StepEnd),
		string(verify.StepRevoke), string(verify.StepFallback)}
	return Resource{
		Name:  "Stories",
		About: "The story of an attempt is what happened to its message: every provider that was asked, what it answered, what was decided and why ([routes.md](routes.md)).",
		Operations: []Operation{
			{Method: "GET", Path: "/v2/Verifyd/Attempts/{Sid}", ID: "FetchAttemptStory", About: "Fetches the story of an attempt.", From: Ours, Status: 200, Body: storyBody{},
				Codes: []verify.Code{verify.CodeNotFound, verify.CodeTooManyRequests}},
		},
		Records: []Record{
			{Name: "AttemptStory", About: "What happened to an attempt.", Body: storyBody{}, Facts: []Fact{
				{Name: "sid", About: "The attempt.", From: Ours, SID: "VL"},
				{Name: "verification_sid", About: "The verification.", From: Ours, SID: "VE"},
				{Name: "channel", About: "The channel.", From: Ours, Enum: words(verify.Channels())},
				{Name: "to", About: "The number in E.164, or the address.", From: Ours, Example: "+34612345678"},
				{Name: "country", About: "ISO 3166-1 alpha-2.", From: Ours, Example: "ES"},
				{Name: "state", About: "What is known of the message.", From: Ours, Enum: words(verify.AttemptStates())},
				{Name: "provider", About: "Who was given the message last.", From: Ours, Example: "gateway"},
				{Name: "provider_id", About: "The carrier's identifier of the message.", From: Ours},
				{Name: "hand_overs", About: "How often a provider was given the message.", From: Ours, Example: 1},
				{Name: "story", About: "The steps, oldest first; at most 24, of longer stories the first and the last.", From: Ours},
				{Name: "story.date", About: "When, in UTC, to the millisecond.", From: Ours, Format: "date-time"},
				{Name: "story.kind", About: "What the step is.", From: Ours, Enum: kinds},
				{Name: "story.provider", About: "Who was asked, or is spoken of.", From: Ours, Example: "gateway"},
				{Name: "story.milliseconds", About: "How long a hand-over or a revocation took; null for other steps.", From: Ours},
				{Name: "story.outcome", About: "What came of a hand-over or a revocation, or what a report says.", From: Ours, Enum: outcomes},
				{Name: "story.code", About: "The provider's own code of a failure, verbatim.", From: Ours},
				{Name: "story.detail", About: "What the provider said of it, without addresses, codes and secrets.", From: Ours},
				{Name: "story.decision", About: "What followed.", From: Ours, Enum: words(verify.Decisions())},
				{Name: "story.reason", About: "Why, in words for people.", From: Ours},
			}},
		},
	}
}
