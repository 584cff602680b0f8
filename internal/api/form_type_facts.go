package api

import "github.com/verifyd/verifyd/internal/verify"

func formFacts() Resource {
	return Resource{
		Name:  "Forms",
		About: "Forms describe the parameters of push factors.",
		Operations: []Operation{
			{Method: "GET", Path: "/v2/Forms/{FormType}", ID: "FetchForm", About: "Fetches a form.", Note: "the schemas are ours: Twilio's are not published",
				From: Spec | Ours, Status: 200, Body: formBody{}, Codes: []verify.Code{verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Form", Contract: "form", About: "A form.", Body: formBody{}, Facts: []Fact{
				{Name: "form_type", About: "The form.", Enum: []string{"form-push"}, Published: "form_enum_form_types"},
				{Name: "forms", About: "JSON Schemas."},
				{Name: "forms.create_factor", About: "Of a new factor."},
				{Name: "forms.verify_factor", About: "Of a factor's verification."},
				{Name: "forms.create_challenge", About: "Of a new challenge."},
				{Name: "form_meta", About: "About the forms.", From: Spec | Ours},
				{Name: "form_meta.binding", About: "About the binding.", From: Spec | Ours},
				{Name: "form_meta.binding.separator", About: "What may stand between its parts.", From: Spec | Ours, Example: "|"},
			}},
			{Name: "FormSchema", About: "A JSON Schema of a form.", Body: formSchema{}, Facts: []Fact{
				{Name: "$schema", About: "Its draft.", From: Ours},
				{Name: "type", About: "Always `object`.", From: Ours, Enum: []string{"object"}},
				{Name: "required", About: "Parameters that the form cannot be without.", From: Ours},
				{Name: "properties", About: "The parameters.", From: Ours},
			}},
			{Name: "FormProperty", About: "A parameter of a form.", Body: formMember{}, Facts: []Fact{
				{Name: "type", About: "Its type.", From: Ours, Example: "string"},
				{Name: "minLength", About: "The fewest characters.", From: Ours, Example: 1},
				{Name: "maxLength", About: "The most characters.", From: Ours, Example: 64},
				{Name: "enum", About: "What it may be.", From: Ours},
			}},
		},
	}
}
