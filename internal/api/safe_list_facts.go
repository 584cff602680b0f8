package api

import "github.com/verifyd/verifyd/internal/verify"

func safeListFacts() Resource {
	const one = "/v2/SafeList/Numbers/{PhoneNumber}"
	codes := []verify.Code{verify.CodeNotFound, verify.CodeTooManyRequests}
	return Resource{
		Name:  "SafeList",
		About: "Text messages to a number on the safe list are never held back because of the country, nor by the [limit of messages to one number](rate-limits.md).",
		Note:  "30 calls a minute for each account and node (docs). There is no list of the numbers, as in the description.",
		Operations: []Operation{
			{Method: "POST", Path: "/v2/SafeList/Numbers", ID: "CreateSafelist", About: "Puts a number on the safe list.", Params: safeNumberParams{}, Facts: []Fact{
				{Name: "PhoneNumber", About: "The number in E.164. One that is on the list is 60411.", Required: true, Example: "+34612345678"},
			}, Status: 201, Body: safeNumberBody{}, Codes: []verify.Code{verify.CodeMissingParameter, verify.CodeTooManyRequests, verify.CodeSafeNumberExists}},
			{Method: "GET", Path: one, ID: "FetchSafelist", About: "Fetches a number of the safe list.", Status: 200, Body: safeNumberBody{}, Codes: codes},
			{Method: "DELETE", Path: one, ID: "DeleteSafelist", About: "Takes a number off the safe list.", Status: 204, Codes: codes},
		},
		Records: []Record{
			{Name: "SafeNumber", Contract: "safelist", About: "A number on the safe list.", Body: safeNumberBody{}, Facts: []Fact{
				{Name: "sid", About: "The entry.", SID: "GN"},
				{Name: "phone_number", About: "The number in E.164.", Example: "+34612345678"},
				{Name: "url", About: "Its absolute address. The plus sign in it is bare."},
			}},
		},
	}
}
