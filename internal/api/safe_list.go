package api

import (
	"net/http"

	"github.com/verifyd/verifyd/internal/verify"
)

type safeNumberParams struct {
	PhoneNumber *string `form:"PhoneNumber"`
}

func (a *API) createSafeNumber(r *request) (response, error) {
	var p safeNumberParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	s, err := a.engine.AddSafeNumber(r.ctx, r.account, p.PhoneNumber)
	if err != nil {
		return response{}, err
	}
	return safeNumberResponse(http.StatusCreated, s, r.base), nil
}

func (a *API) fetchSafeNumber(r *request) (response, error) {
	s, err := a.engine.SafeNumber(r.ctx, r.account, r.vars.get("PhoneNumber"))
	if err != nil {
		return response{}, err
	}
	return safeNumberResponse(http.StatusOK, s, r.base), nil
}

func (a *API) deleteSafeNumber(r *request) (response, error) {
	if err := a.engine.RemoveSafeNumber(r.ctx, r.account, r.vars.get("PhoneNumber")); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

type safeNumberBody struct {
	SID         string `json:"sid"`
	PhoneNumber string `json:"phone_number"`
	URL         string `json:"url"`
}

func safeNumberResponse(status int, s *verify.SafeNumber, base string) response {
	return response{status: status, body: safeNumberBody{s.SID, s.Number, base + "/SafeList/Numbers/" + s.Number}} // Twilio's URL has a bare plus sign too
}
