package api

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

type startParams struct {
	To                   *string `form:"To"`
	Channel              *string `form:"Channel"`
	CustomFriendlyName   string  `form:"CustomFriendlyName"`
	CustomMessage        string  `form:"CustomMessage"`
	SendDigits           string  `form:"SendDigits"`
	Locale               string  `form:"Locale"`
	CustomCode           string  `form:"CustomCode"`
	Amount               string  `form:"Amount"`
	Payee                string  `form:"Payee"`
	RateLimits           string  `form:"RateLimits"`
	ChannelConfiguration string  `form:"ChannelConfiguration"`
	AppHash              string  `form:"AppHash"`
	TemplateSID          string  `form:"TemplateSid"`
	Substitutions        string  `form:"TemplateCustomSubstitutions"`
	Templates            string  `form:"Templates"`
	DeviceIP             string  `form:"DeviceIp"`
	EnableSNAClientToken *bool   `form:"EnableSnaClientToken"`
	RiskCheck            string  `form:"RiskCheck"`
	Tags                 string  `form:"Tags"`
	ForgiveGuesses       *bool   `form:"Verifyd.ForgiveGuesses"`
}

type statusParams struct {
	Status *string `form:"Status"`
}

func (a *API) createVerification(r *request) (response, error) {
	var p startParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	v, err := a.engine.StartVerification(r.ctx, r.account, r.vars.get("ServiceSid"), verify.StartParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, about: v, body: verificationJSON(v, r.base)}, nil
}

func (a *API) fetchVerification(r *request) (response, error) {
	v, err := a.engine.Verification(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, about: v, body: verificationJSON(v, r.base)}, nil
}

func (a *API) updateVerification(r *request) (response, error) {
	var p statusParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	v, err := a.engine.UpdateVerification(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("Sid"), p.Status)
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, about: v, body: verificationJSON(v, r.base)}, nil
}

// tellAbout says in headers what Twilio does not tell about a pending verification.
func tellAbout(h http.Header, v *verify.Verification, now time.Time) {
	if v.StatusAt(now) != verify.Pending {
		return
	}
	left := v.ExpiresAt.Sub(now).Seconds()
	h["Verifyd-Sends-Left"] = []string{strconv.Itoa(max(v.MaxSends-len(v.Sends), 0))}
	h["Verifyd-Checks-Left"] = []string{strconv.Itoa(max(v.MaxChecks-v.Checks, 0))}
	h["Verifyd-Expires-In"] = []string{strconv.Itoa(int(math.Ceil(left)))}
}

type verificationBody struct {
	SID              string     `json:"sid"`
	ServiceSID       string     `json:"service_sid"`
	AccountSID       string     `json:"account_sid"`
	To               string     `json:"to"`
	Channel          string     `json:"channel"`
	Status           string     `json:"status"`
	Valid            bool       `json:"valid"`
	DateCreated      string     `json:"date_created"`
	DateUpdated      string     `json:"date_updated"`
	Lookup           lookupBody `json:"lookup"`
	Amount           *string    `json:"amount"`
	Payee            *string    `json:"payee"`
	SendCodeAttempts []sendBody `json:"send_code_attempts"`
	SNA              *struct{}  `json:"sna"`
	URL              string     `json:"url"`
}

// lookupBody is an empty object where nothing was looked up.
type lookupBody struct {
	Carrier *carrierBody `json:"carrier,omitempty"`
}

type carrierBody struct {
	ErrorCode         *verify.Code `json:"error_code"`
	Name              *string      `json:"name"`
	MobileCountryCode *string      `json:"mobile_country_code"`
	MobileNetworkCode *string      `json:"mobile_network_code"`
	Type              *string      `json:"type"`
}

func lookupJSON(line *verify.Line) lookupBody {
	if line == nil {
		return lookupBody{}
	}
	c := carrierBody{Name: nullable(line.Carrier), MobileCountryCode: nullable(line.MCC),
		MobileNetworkCode: nullable(line.MNC), Type: nullable(string(line.Type))}
	if line.ErrorCode != 0 {
		c.ErrorCode = &line.ErrorCode
	}
	return lookupBody{&c}
}

// sendBody is one entry of send_code_attempts; its time has milliseconds, as captured from Twilio.
type sendBody struct {
	Time       string `json:"time"`
	Channel    string `json:"channel"`
	AttemptSID string `json:"attempt_sid"`
}

func verificationJSON(v *verify.Verification, base string) *verificationBody {
	sends := make([]sendBody, 0, len(v.Sends))
	for _, s := range v.Sends {
		sends = append(sends, sendBody{s.At.UTC().Format("2006-01-02T15:04:05.000Z"), string(s.Channel), s.AttemptSID})
	}
	return &verificationBody{
		SID:              v.SID,
		ServiceSID:       v.ServiceSID,
		AccountSID:       v.AccountSID,
		To:               v.To,
		Channel:          string(v.Channel),
		Status:           wireStatus(v.Status),
		Valid:            v.Status == verify.Approved,
		DateCreated:      timestamp(v.CreatedAt),
		DateUpdated:      timestamp(v.UpdatedAt),
		Lookup:           lookupJSON(v.Line),
		Amount:           nullable(v.Amount),
		Payee:            nullable(v.Payee),
		SendCodeAttempts: sends,
		URL:              base + "/Services/" + v.ServiceSID + "/Verifications/" + v.SID,
	}
}

// wireStatus spells a status as the API does, which has no word for a replaced verification.
func wireStatus(s verify.Status) string {
	if s == verify.Replaced {
		return string(verify.Canceled)
	}
	return string(s)
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
