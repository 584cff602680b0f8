package api

import (
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

func entityFacts() Resource {
	const (
		entities = "/v2/Services/{ServiceSid}/Entities"
		entity   = entities + "/{Identity}"
	)
	notFound := []verify.Code{verify.CodeNotFound}
	return Resource{
		Name:  "Entities",
		About: "An entity is a person of an application, with the factors that prove who it is.",
		Note:  "Begin with [totp.md](totp.md).",
		Operations: []Operation{
			{Method: "POST", Path: entities, ID: "CreateEntity", About: "Makes the entity of an identity.", Params: entityParams{}, Facts: []Fact{
				{Name: "Identity", About: "What the application calls the person: an identifier of its own, and nothing that says who it is. The case of letters does not matter; the first spelling is shown (ours).", From: Spec | Docs | Ours, Required: true, Range: factor.Identities, Pattern: "^[A-Za-z0-9-]*$", Example: "user-7f3a91c2"},
			}, Status: 201, Body: entityBody{}, Codes: ofFactors(verify.CodeMissingParameter, factor.CodeEntityExists, factor.CodeEntityRate)},
			{Method: "GET", Path: entities, ID: "ListEntity", About: "Lists the entities of a service, oldest first.", Note: "the order is ours", From: Spec | Ours, Paged: true, Status: 200, Body: entityList{}, Codes: ofFactorsList()},
			{Method: "GET", Path: entity, ID: "FetchEntity", About: "Fetches an entity.", Status: 200, Body: entityBody{}, Codes: notFound},
			{Method: "DELETE", Path: entity, ID: "DeleteEntity", About: "Removes an entity, its factors and its challenges.", Status: 204, Codes: notFound},
		},
		Records: []Record{
			{Name: "Entity", Contract: "entity", About: "A person of an application.", Body: entityBody{}, Facts: []Fact{
				{Name: "sid", About: "The entity.", SID: "YE"},
				{Name: "identity", About: "What the application calls the person.", Example: "user-7f3a91c2"},
				{Name: "links", About: "The addresses of what is below it."},
				{Name: "links.factors", About: "Factors.", Format: "uri"},
				{Name: "links.new_factors", About: "Where factors are made.", Format: "uri"},
				{Name: "links.challenges", About: "Challenges.", Format: "uri"},
			}},
			{Name: "EntityList", About: "A page of entities.", Body: entityList{}, Facts: listFacts("entities", "The entities.")},
		},
	}
}

// ofFactors are the codes of a call with parameters about entities, factors and challenges.
func ofFactors(more ...verify.Code) []verify.Code {
	return append([]verify.Code{verify.CodeNotFound, verify.CodeInvalidRequest}, more...)
}

// ofFactorsList are the codes of a list of entities, factors or challenges.
func ofFactorsList(more ...verify.Code) []verify.Code {
	return append([]verify.Code{verify.CodeNotFound, verify.CodeInvalidPageSize, verify.CodeInvalidPageToken}, more...)
}
