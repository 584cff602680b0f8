package api

import "github.com/verifyd/verifyd/internal/verify"

func messagingFacts() Resource {
	const (
		all = "/v2/Services/{ServiceSid}/MessagingConfigurations"
		one = all + "/{Country}"
	)
	carrier := Fact{Name: "MessagingServiceSid", About: "The messaging service, which is a table in the configuration of the server; any other is 60200.", Required: true, SID: "MG", From: Spec | Ours,
		Note: "a table of `verifyd.toml` ([configuration.md](configuration.md))"}
	notFound := []verify.Code{verify.CodeNotFound}
	return Resource{
		Name:  "MessagingConfigurations",
		About: "A messaging configuration says which messaging service carries a service's text messages to a country.",
		Note:  "A message goes by the configuration of its country, else of `all`, else by `[routes]` (ours).",
		Operations: []Operation{
			{Method: "POST", Path: all, ID: "CreateMessagingConfiguration", About: "Makes the configuration of a country.", Params: messagingParams{}, Facts: []Fact{
				{Name: "Country", About: "ISO 3166-1 alpha-2, or `all`; in any case. One that has a configuration is 60213.", Required: true, From: Spec | Ours, Example: "ES"},
				carrier,
			}, Status: 201, Body: messagingBody{}, Codes: []verify.Code{verify.CodeMissingParameter, verify.CodeNotFound, verify.CodeMessagingExists}},
			{Method: "GET", Path: all, ID: "ListMessagingConfiguration", About: "Lists the configurations of a service by country, `all` last.", Note: "the order is ours", From: Spec | Ours, Paged: true, Status: 200, Body: messagingList{}, Codes: ofList(verify.CodeNotFound)},
			{Method: "GET", Path: one, ID: "FetchMessagingConfiguration", About: "Fetches the configuration of a country.", Status: 200, Body: messagingBody{}, Codes: notFound},
			{Method: "POST", Path: one, ID: "UpdateMessagingConfiguration", About: "Gives a country another messaging service.", Params: messagingServiceParams{}, Facts: []Fact{carrier},
				Status: 200, Body: messagingBody{}, Codes: []verify.Code{verify.CodeMissingParameter, verify.CodeNotFound}},
			{Method: "DELETE", Path: one, ID: "DeleteMessagingConfiguration", About: "Removes the configuration of a country.", Status: 204, Codes: notFound},
		},
		Records: []Record{
			{Name: "MessagingConfiguration", Contract: "messaging_configuration", About: "Which messaging service carries text messages to a country. It has no SID: the country is its key.", Body: messagingBody{}, Facts: []Fact{
				{Name: "country", About: "In capital letters, or `all`.", Example: "ES"},
				{Name: "messaging_service_sid", About: "The messaging service.", SID: "MG"},
			}},
			{Name: "MessagingConfigurationList", About: "A page of messaging configurations.", Body: messagingList{}, Facts: listFacts("messaging_configurations", "The configurations.")},
		},
	}
}
