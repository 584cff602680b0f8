package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/verify"
)

// fetchForm describes the forms of push factors, the only ones there are. The schemas are empty, as
// in Twilio's example: an empty JSON Schema accepts everything, and what is wrong with a factor the
// call that creates it says.
func (a *API) fetchForm(r *request) (response, error) {
	const push = "form-push"
	if r.vars.get("FormType") != push {
		return response{}, &verify.Error{Code: verify.CodeNotFound}
	}
	return response{status: http.StatusOK, body: formBody{FormType: push, URL: r.base + "/Forms/" + push}}, nil
}

type formBody struct {
	FormType string    `json:"form_type"`
	Forms    pushForms `json:"forms"`
	FormMeta struct{}  `json:"form_meta"`
	URL      string    `json:"url"`
}

type pushForms struct {
	CreateFactor    struct{} `json:"create_factor"`
	VerifyFactor    struct{} `json:"verify_factor"`
	CreateChallenge struct{} `json:"create_challenge"`
}
