package api

import (
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

func accessTokenFacts() Resource {
	const tokens = "/v2/Services/{ServiceSid}/AccessTokens"
	kinds := []string{string(factor.Push)}
	return Resource{
		Name:  "Access tokens",
		About: "An access token lets a device make a factor without having an account.",
		Note: "The application's server asks for one and gives it to its app, which sends it as the password of the user\n" +
			"`token` when it makes the factor. It is good for that alone, until it expires, and more than once (ours): a\n" +
			"device may have to repeat a call, and a key makes one factor. `FriendlyName` may then be left out (ours).",
		Operations: []Operation{
			{Method: "POST", Path: tokens, ID: "CreateAccessToken", About: "Makes an access token. The identity need not have an entity.", Note: "201; the description lists 200 too", From: Spec | Ours, Params: accessTokenParams{}, Facts: []Fact{
				{Name: "Identity", About: "The person that the factor will be of.", From: Spec | Docs, Required: true, Range: factor.Identities, Pattern: "^[A-Za-z0-9-]*$", Example: "user-7f3a91c2"},
				{Name: "FactorType", About: "The type of the factor, in any case of letters.", From: Spec | Docs, Required: true, Enum: kinds, Refused: []string{"totp", "passkeys"}, Example: "push"},
				{Name: "FactorFriendlyName", About: "The name of the factor, if the device gives none.", Range: factor.Names, Example: "Ann's phone"},
				{Name: "Ttl", About: "Seconds that the token is good for.", Range: factor.AccessTokenTTLs, Default: 60, Example: 60},
			}, Status: 201, Body: accessTokenBody{}, Codes: ofFactors(factor.CodeInvalidAccessToken)},
			{Method: "GET", Path: tokens + "/{Sid}", ID: "FetchAccessToken", About: "Fetches an access token that has not expired.", Note: "404 afterwards", From: Spec | Ours, Status: 200, Body: accessTokenBody{}, Codes: []verify.Code{verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "AccessToken", Contract: "access_token", About: "What lets a device make a factor.", Body: accessTokenBody{}, Facts: []Fact{
				{Name: "sid", About: "The access token.", SID: "YK"},
				{Name: "entity_identity", About: "The person that the factor will be of.", Example: "user-7f3a91c2"},
				{Name: "factor_type", About: "The type of the factor.", Enum: kinds},
				{Name: "factor_friendly_name", About: "The name of the factor; null if the device gives it."},
				{Name: "ttl", About: "Seconds that it is good for.", Example: 60},
				{Name: "token", About: "What the device sends, a text that says nothing to anybody else."},
			}},
		},
	}
}
