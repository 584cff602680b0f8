package api

import "github.com/verifyd/verifyd/internal/verify"

func formFacts() Resource {
	return Resource{
		Name:  "Forms",
		About: "Forms describe the parameters of push factors.",
		Operations: []Operation{
			{Method: "GET", Path: "/v2/Forms/{FormType}", ID: "FetchForm", About: "Fetches a form. Its schemas are empty and accept everything.", Note: "as in the description's example",
				Status: 200, Body: formBody{}, Codes: []verify.Code{verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Form", Contract: "form", About: "A form.", Body: formBody{}, Facts: []Fact{
				{Name: "form_type", About: "The form.", Enum: []string{"form-push"}, Published: "form_enum_form_types"},
				{Name: "forms", About: "JSON Schemas."},
				{Name: "forms.create_factor", About: "Of a new factor."},
				{Name: "forms.verify_factor", About: "Of a factor's verification."},
				{Name: "forms.create_challenge", About: "Of a new challenge."},
				{Name: "form_meta", About: "Empty."},
			}},
		},
	}
}
