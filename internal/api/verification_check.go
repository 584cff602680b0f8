package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/verify"
)

type checkParams struct {
	To              *string `form:"To"`
	VerificationSID *string `form:"VerificationSid"`
	Code            *string `form:"Code"`
	Amount          string  `form:"Amount"`
	Payee           string  `form:"Payee"`
	// SNAClientToken belongs to Silent Network Auth, by which nothing can be started.
	SNAClientToken string `form:"SnaClientToken"`
}

// createVerificationCheck answers 200 though the published description lists 201 too: 200 is what
// was captured, and every client takes any 2xx.
func (a *API) createVerificationCheck(r *request) (response, error) {
	var p checkParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	v, outcome, err := a.engine.CheckVerification(r.ctx, r.account, r.vars.get("ServiceSid"), verify.CheckParams{
		To: p.To, VerificationSID: p.VerificationSID, Code: p.Code, Amount: p.Amount, Payee: p.Payee,
	})
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, about: v, body: checkJSON(v, outcome)}, nil
}

type checkBody struct {
	SID                   string     `json:"sid"`
	ServiceSID            string     `json:"service_sid"`
	AccountSID            string     `json:"account_sid"`
	To                    string     `json:"to"`
	Channel               string     `json:"channel"`
	Status                string     `json:"status"`
	Valid                 bool       `json:"valid"`
	Amount                *string    `json:"amount"`
	Payee                 *string    `json:"payee"`
	SNAAttemptsErrorCodes []struct{} `json:"sna_attempts_error_codes"`
	DateCreated           string     `json:"date_created"`
	DateUpdated           string     `json:"date_updated"`
}

// checkJSON says pending to every wrong code, also to the last one, after which the verification
// is max_attempts_reached.
func checkJSON(v *verify.Verification, outcome verify.CheckOutcome) *checkBody {
	status := wireStatus(v.Status)
	if outcome == verify.CodeWrong {
		status = string(verify.Pending)
	}
	return &checkBody{
		SID:                   v.SID,
		ServiceSID:            v.ServiceSID,
		AccountSID:            v.AccountSID,
		To:                    v.To,
		Channel:               string(v.Channel),
		Status:                status,
		Valid:                 outcome == verify.CodeRight,
		Amount:                nullable(v.Amount),
		Payee:                 nullable(v.Payee),
		SNAAttemptsErrorCodes: []struct{}{},
		DateCreated:           timestamp(v.CreatedAt),
		DateUpdated:           timestamp(v.UpdatedAt),
	}
}
