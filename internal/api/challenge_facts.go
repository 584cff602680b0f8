package api

import (
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

func challengeFacts() Resource {
	const (
		challenges = "/v2/Services/{ServiceSid}/Entities/{Identity}/Challenges"
		challenge  = challenges + "/{Sid}"
	)
	payload := Fact{Name: "AuthPayload", About: "A code of the app. A wrong one is counted and leaves the challenge pending; five end it (60308). A code is taken once, whatever it was for (RFC 6238, section 5.2).", From: Spec | Docs, Range: verify.TOTPCodeLengths, Example: "492039"}
	answer := Fact{Name: payload.Name, About: payload.About + " Of a push challenge: the JWT by which its device says approved or denied, at most 5456 characters. One that is wrong is 60324 and counts for nothing.", From: Spec | Docs | Client, Example: payload.Example}
	metadata := Fact{Name: "Metadata", About: "A JSON object of texts about the answer.", Example: `{"os":"Android"}`}
	statuses := words(factor.ChallengeStatuses())
	return Resource{
		Name:  "Challenges",
		About: "A challenge asks a person to prove with a factor who it is.",
		Note: "A wrong code is no error: 200 or 201 with `pending` (wire; the error dictionary has 403 for it). Fewer than 3\n" +
			"or more than 8 characters are 60306 and not counted.\n\n" +
			"A push challenge is answered by what its device signs, whoever sends it: the device signs the members that\n" +
			"`Twilio-Verify-Signature-Fields` names as it was shown them, with the status that the person chose (clients).\n" +
			"A device sees the challenges of its own factor alone (ours). `details.date` is there only if the service had\n" +
			"`Push.IncludeDate` when the challenge was made.",
		Operations: []Operation{
			{Method: "POST", Path: challenges, ID: "CreateChallenge", About: "Makes a challenge. With `AuthPayload` it is answered at once.", Params: challengeParams{}, Facts: []Fact{
				{Name: "FactorSid", About: "The factor; one that is not there is 60390.", From: Spec | Docs, Required: true, SID: "YF"},
				{Name: "ExpirationDate", About: "Until when it can be answered, at most an hour; in RFC 3339, in whole seconds. By default five minutes.", From: Spec | Docs | Ours, Example: "2026-11-24T12:05:00Z"},
				{Name: "Details.Message", About: "What the person is asked. A push challenge needs it.", From: Spec | Docs | Ours, Range: factor.ChallengeMessages, Example: "Log in?"},
				{Name: "Details.Fields", About: "Fields with `label` and `value` as JSON objects: the parameter repeated, or one JSON array.", Note: "the array is ours", From: Spec | Docs | Ours, Example: []any{`{"label":"City","value":"Zürich"}`}},
				{Name: "HiddenDetails", About: "A JSON object of texts that the person does not see.", From: Spec | Docs, Example: `{"transaction":"4711"}`},
				payload,
			}, Status: 201, Body: challengeBody{}, Codes: ofFactors(verify.CodeMissingParameter, factor.CodeFactorUnverified, factor.CodeChallengeAnswers, factor.CodeTooManyChallenges, factor.CodeInvalidFactorType, factor.CodeFactorParamNotFound)},
			{Method: "GET", Path: challenges, ID: "ListChallenge", About: "Lists the challenges of an entity.", Params: challengeFilters{}, Facts: []Fact{
				{Name: "FactorSid", About: "Those of this factor; of one that is not there, none.", From: Spec | Ours, Example: "YF020190b7d2f8a4c3e61f5d9a7c20e4"},
				{Name: "Status", About: "Those in this state, in any case of letters.", Enum: statuses},
				{Name: "Order", About: "By the time of their making: `asc`, which is the default, or `desc`.", Enum: []string{"asc", "desc"}},
			}, Paged: true, Status: 200, Body: challengeList{}, Codes: ofFactorsList(verify.CodeInvalidRequest)},
			{Method: "GET", Path: challenge, ID: "FetchChallenge", About: "Fetches a challenge.", Status: 200, Body: challengeBody{}, Headers: []string{"Twilio-Verify-Signature-Fields"}, Codes: []verify.Code{verify.CodeNotFound}},
			{Method: "POST", Path: challenge, ID: "UpdateChallenge", About: "Answers a challenge.", Params: challengeUpdateParams{}, Facts: []Fact{answer, metadata}, Partial: true, Status: 200, Body: challengeBody{},
				Codes: ofFactors(factor.CodeChallengeProof, factor.CodeChallengeAnswers, factor.CodeChallengeResponded, factor.CodeChallengeExpired)},
		},
		Records: []Record{
			{Name: "Challenge", Contract: "challenge", About: "A question to a person.", Body: challengeBody{}, Facts: []Fact{
				{Name: "sid", About: "The challenge.", SID: "YC"},
				ofEntity, ofIdentity,
				ofAnyFactor,
				{Name: "date_responded", About: "When it was answered, in UTC; null before.", From: Spec | Ours, Format: "date-time"},
				{Name: "expiration_date", About: "Until when it can be answered, in UTC.", Format: "date-time", Example: "2026-11-24T12:05:00Z"},
				{Name: "status", About: "Its state.", Enum: statuses},
				{Name: "responded_reason", About: "Always `none`.", From: Spec | Wire, Enum: []string{"none"}},
				{Name: "details", About: "What the person is shown; null if it is nothing.", From: Spec | Ours},
				{Name: "details.message", About: "What the person is asked."},
				{Name: "details.date", About: "When the challenge was made, in UTC; missing unless the service wants it.", Note: "one that is null makes the library for Android fail", From: Spec | Client, Format: "date-time"},
				{Name: "details.fields", About: "What the person is shown besides."},
				{Name: "details.fields.label", About: "What it is."},
				{Name: "details.fields.value", About: "How it is."},
				{Name: "hidden_details", About: "Texts that the person does not see; null if there are none.", Null: true},
				{Name: "metadata", About: "Texts about the answer; null if there are none.", Null: true},
				ofType,
				{Name: "links", About: "The addresses of what is below it."},
				{Name: "links.notifications", About: "Where notifications are made.", Format: "uri"},
			}},
			{Name: "ChallengeList", About: "A page of challenges.", Body: challengeList{}, Facts: listFacts("challenges", "The challenges.")},
		},
	}
}
