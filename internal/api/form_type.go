package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

// fetchForm describes the forms of push factors, the only ones there are. What Twilio's say is not
// published; nobody is known to read them.
func (a *API) fetchForm(r *request) (response, error) {
	const push = "form-push"
	if r.vars.get("FormType") != push {
		return response{}, &verify.Error{Code: verify.CodeNotFound}
	}
	body := formBody{FormType: push, Forms: formsOfPush, URL: r.base + "/Forms/" + push}
	body.FormMeta.Binding.Separator = "|"
	return response{status: http.StatusOK, body: body}, nil
}

type formBody struct {
	FormType string       `json:"form_type"`
	Forms    pushForms    `json:"forms"`
	FormMeta formMetaBody `json:"form_meta"`
	URL      string       `json:"url"`
}

type pushForms struct {
	CreateFactor    formSchema `json:"create_factor"`
	VerifyFactor    formSchema `json:"verify_factor"`
	CreateChallenge formSchema `json:"create_challenge"`
}

type formMetaBody struct {
	Binding bindingMetaBody `json:"binding"`
}

type bindingMetaBody struct {
	Separator string `json:"separator"`
}

// formSchema is a JSON Schema of a form, each parameter a property.
type formSchema struct {
	Schema     string                `json:"$schema"`
	Type       string                `json:"type"`
	Required   []string              `json:"required"`
	Properties map[string]formMember `json:"properties"`
}

type formMember struct {
	Type      string   `json:"type"`
	MinLength int      `json:"minLength,omitempty"`
	MaxLength int      `json:"maxLength,omitempty"`
	Enum      []string `json:"enum,omitempty"`
}

// formsOfPush has what the facts say of the parameters of push factors.
var formsOfPush = pushForms{
	CreateFactor: newFormSchema(map[string]formMember{
		"FriendlyName":                member(factor.Names),
		"FactorType":                  {Type: "string", Enum: []string{string(factor.Push)}},
		"Binding.Alg":                 {Type: "string", Enum: []string{"ES256"}},
		"Binding.PublicKey":           {Type: "string"},
		"Config.AppId":                member(factor.AppIDs),
		"Config.NotificationPlatform": {Type: "string", Enum: factor.PushPlatforms},
		"Config.NotificationToken":    member(factor.NotificationTokens),
		"Config.SdkVersion":           member(factor.SDKVersions),
		"Metadata":                    {Type: "string"},
	}, "FriendlyName", "FactorType", "Binding.PublicKey", "Config.AppId", "Config.NotificationPlatform", "Config.SdkVersion"),
	VerifyFactor: newFormSchema(map[string]formMember{"AuthPayload": member(factor.SignedPayloads)}, "AuthPayload"),
	CreateChallenge: newFormSchema(map[string]formMember{
		"FactorSid":       {Type: "string"},
		"ExpirationDate":  {Type: "string"},
		"Details.Message": member(factor.ChallengeMessages),
		"Details.Fields":  {Type: "array"},
		"HiddenDetails":   {Type: "string"},
	}, "FactorSid", "Details.Message"),
}

func newFormSchema(properties map[string]formMember, required ...string) formSchema {
	return formSchema{"http://json-schema.org/draft-07/schema#", "object", required, properties}
}

// member is a text of some length.
func member(r verify.Range) formMember {
	return formMember{Type: "string", MinLength: r.Min, MaxLength: r.Max}
}
