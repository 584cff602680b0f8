package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/verify"
)

type challengeParams struct {
	FactorSID      *string  `form:"FactorSid"`
	ExpirationDate *string  `form:"ExpirationDate"`
	DetailsMessage *string  `form:"Details.Message"`
	DetailsFields  []string `form:"Details.Fields"`
	HiddenDetails  *string  `form:"HiddenDetails"`
	AuthPayload    *string  `form:"AuthPayload"`
}

type challengeUpdateParams struct {
	AuthPayload *string `form:"AuthPayload"`
	Metadata    *string `form:"Metadata"`
}

type challengeFilters struct {
	FactorSID *string `form:"FactorSid"`
	Status    *string `form:"Status"`
	Order     *string `form:"Order"`
}

func (a *API) createChallenge(r *request) (response, error) {
	var p challengeParams
	if err := decodeFactors(r.form, &p); err != nil {
		return response{}, err
	}
	c, err := a.factors.CreateChallenge(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), factor.ChallengeParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: challengeJSON(c, r.base)}, nil
}

func (a *API) fetchChallenge(r *request) (response, error) {
	c, err := a.factors.Challenge(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	resp := response{status: http.StatusOK, body: challengeJSON(c, r.base)}
	if c.FactorType == factor.Push {
		resp.header = http.Header{"Twilio-Verify-Signature-Fields": signatureFields}
	}
	return resp, nil
}

// signatureFields tell a device which members of the answer to sign. There are no spaces, because
// devices split at the commas alone.
var signatureFields = []string{strings.Join(factor.SignatureFields, ",")}

func (a *API) updateChallenge(r *request) (response, error) {
	var p challengeUpdateParams
	if err := decodeFactors(r.form, &p); err != nil {
		return response{}, err
	}
	c, err := a.factors.AnswerChallenge(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), r.vars.get("Sid"), factor.ChallengeUpdate(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: challengeJSON(c, r.base)}, nil
}

func (a *API) listChallenges(r *request) (response, error) {
	query, page, err := readFactorsPage(r.query)
	if err != nil {
		return response{}, err
	}
	var p challengeFilters
	if err := decodeFactors(r.query, &p); err != nil {
		return response{}, err
	}
	if d := r.device; d != nil { // it sees the challenges of its own factor, and of no other
		if p.FactorSID != nil && *p.FactorSID != "" && *p.FactorSID != d.FactorSID {
			return response{}, &verify.Error{Code: verify.CodeNotFound}
		}
		p.FactorSID = &d.FactorSID
	}
	challenges, err := a.factors.Challenges(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Identity"), factor.ListChallenges(p), page)
	if err != nil {
		return response{}, err
	}
	base := filtered[challengeFilters](entityURL(r.base, r.vars.get("ServiceSid"), r.vars.get("Identity"))+"/Challenges", r.query)
	challenges, m := cutPage(query, "challenges", base, challenges, func(c factor.Challenge) string { return c.SID })
	list := make([]challengeBody, 0, len(challenges))
	for i := range challenges {
		list = append(list, challengeJSON(&challenges[i], r.base))
	}
	return response{status: http.StatusOK, body: challengeList{list, m}}, nil
}

type challengeList struct {
	Challenges []challengeBody `json:"challenges"`
	Meta       meta            `json:"meta"`
}

type challengeBody struct {
	SID             string            `json:"sid"`
	AccountSID      string            `json:"account_sid"`
	ServiceSID      string            `json:"service_sid"`
	EntitySID       string            `json:"entity_sid"`
	Identity        string            `json:"identity"`
	FactorSID       string            `json:"factor_sid"`
	DateCreated     string            `json:"date_created"`
	DateUpdated     string            `json:"date_updated"`
	DateResponded   *string           `json:"date_responded"`
	ExpirationDate  string            `json:"expiration_date"`
	Status          string            `json:"status"`
	RespondedReason string            `json:"responded_reason"`
	Details         *detailsBody      `json:"details"`
	HiddenDetails   map[string]string `json:"hidden_details"`
	Metadata        map[string]string `json:"metadata"`
	FactorType      string            `json:"factor_type"`
	URL             string            `json:"url"`
	Links           challengeLinkBody `json:"links"`
}

// detailsBody has a date or has none: one that is null makes the library for Android fail.
type detailsBody struct {
	Message string            `json:"message"`
	Date    string            `json:"date,omitempty"`
	Fields  []detailFieldBody `json:"fields"`
}

type detailFieldBody struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

type challengeLinkBody struct {
	Notifications string `json:"notifications"`
}

func challengeJSON(c *factor.Challenge, base string) challengeBody {
	url := entityURL(base, c.ServiceSID, c.Identity) + "/Challenges/" + c.SID
	return challengeBody{
		SID:             c.SID,
		AccountSID:      c.AccountSID,
		ServiceSID:      c.ServiceSID,
		EntitySID:       c.EntitySID,
		Identity:        c.Identity,
		FactorSID:       c.FactorSID,
		DateCreated:     timestamp(c.CreatedAt),
		DateUpdated:     timestamp(c.UpdatedAt),
		DateResponded:   timestampOrNull(c.RespondedAt),
		ExpirationDate:  timestamp(c.ExpiresAt),
		Status:          string(c.Status),
		RespondedReason: "none", // every published example has it, and no client reads it
		Details:         detailsJSON(c),
		HiddenDetails:   c.HiddenDetails,
		Metadata:        c.Metadata,
		FactorType:      string(c.FactorType),
		URL:             url,
		Links:           challengeLinkBody{Notifications: url + "/Notifications"},
	}
}

func detailsJSON(c *factor.Challenge) *detailsBody {
	d := c.Details
	if d == nil {
		return nil
	}
	date := ""
	if d.Dated {
		date = timestamp(c.CreatedAt)
	}
	fields := make([]detailFieldBody, 0, len(d.Fields))
	for _, f := range d.Fields {
		fields = append(fields, detailFieldBody(f))
	}
	return &detailsBody{d.Message, date, fields}
}

func timestampOrNull(at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	s := timestamp(at)
	return &s
}
