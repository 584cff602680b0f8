package api

import "github.com/verifyd/verifyd/internal/verify"

func geographyFacts() Resource {
	const path = "/v2/Verifyd/Geography"
	return Resource{
		Name:  "Geography",
		About: "Rules about the countries that messages may go to. The narrowest rule decides.",
		Note:  "Twilio's console has settings of this kind, its API has none. [geography.md](geography.md) has the rules.",
		Operations: []Operation{
			{Method: "GET", Path: path, ID: "FetchGeography", About: "Lists the rules of the account and its services.", From: Ours, Status: 200, Body: geographyBody{}},
			{Method: "POST", Path: path, ID: "UpdateGeography", About: "Adds, changes or removes rules, all or none. Takes the account's auth token; an API key is refused with 20006.", From: Ours,
				Params: geographyParams{}, Facts: []Fact{
					{Name: "ServiceSid", About: "The service of the rules; without it they are the account's.", From: Ours, SID: "VA"},
					{Name: "Channel", About: "Channels, separated by commas; without them the rules are about all. E-mail has no geography.", From: Ours, Example: "sms,call"},
					{Name: "Country", About: "Countries in ISO 3166-1 alpha-2, separated by commas, or `all`.", From: Ours, Required: true, Example: "ES,FR"},
					{Name: "Permission", About: "`inherit` removes rules.", From: Ours, Required: true, Enum: verify.Permissions, Example: "allow"},
				}, Status: 200, Body: geographyBody{}, Codes: []verify.Code{verify.CodeMissingParameter, verify.CodeAccessDenied, verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Geography", About: "The rules of an account.", Body: geographyBody{}, Facts: []Fact{
				{Name: "rules", About: "The account's own first, then by service, country and channel.", From: Ours},
				{Name: "rules.service_sid", About: "The service; null for the account's.", From: Ours, SID: "VA"},
				{Name: "rules.channel", About: "The channel; null for all.", From: Ours, Enum: words(verify.Channels())},
				{Name: "rules.country", About: "The country; null for all.", From: Ours, Example: "ES"},
				{Name: "rules.permission", About: "What the rule says.", From: Ours, Enum: []string{verify.Allow, verify.Deny}},
				{Name: "url", About: "Its absolute address.", From: Ours, Format: "uri"},
			}},
		},
	}
}
