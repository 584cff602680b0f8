package vendors

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// SinchAccount is who may send by Sinch, and the secret that its reports are signed with. Calls are made by an
// application, whose secret is in base64.
type SinchAccount struct {
	Plan, Token, WebhookSecret string
	Application, Secret        string
}

// Sinch is the REST API for batches (developers.sinch.com/docs/sms/api-reference), and the Voice API. It has no answer for a
// number that nobody has: its reports say that.
func Sinch(a SinchAccount) API {
	api := API{
		Name: "sinch",
		Table: func(base string) [][2]string {
			return [][2]string{{"service_plan_id", a.Plan}, {"api_token", a.Token}, {"webhook_secret", a.WebhookSecret}, {"from", "Acme"}, {"base_url", base},
				{"application_key", a.Application}, {"application_secret", a.Secret}, {"call_from", "+15005550006"}, {"voice_base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503}, desk.Throttled: {Status: 429}, desk.Unknown: {Status: 500},
			desk.BadRequest: {Status: 403, Code: "unauthorized_action"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+a.Token:
			return Sent{}, &Refusal{Status: 401, Code: "unauthorized", Words: "the token is not known"}
		case r.Method != http.MethodPost || r.URL.Path != "/xms/v1/"+a.Plan+"/batches":
			return Sent{}, &Refusal{Status: 404, Code: "not_found", Words: "no such resource"}
		}
		var m struct {
			From      string   `json:"from"`
			To        []string `json:"to"`
			Body      string   `json:"body"`
			Report    string   `json:"delivery_report"`
			URL       string   `json:"callback_url"`
			ExpireAt  string   `json:"expire_at"`
			Reference string   `json:"client_reference"`
		}
		if !strict(body, &m) || len(m.To) != 1 {
			return Sent{}, &Refusal{Status: 400, Code: "syntax_invalid_json", Words: "the body is not one batch for one recipient"}
		}
		_, err := time.Parse(time.RFC3339, m.ExpireAt)
		switch {
		case m.ExpireAt != "" && err != nil:
			return Sent{}, &Refusal{Status: 400, Code: "syntax_invalid_parameter_format", Words: "expire_at"}
		case m.Report != "none" && m.Report != "per_recipient":
			return Sent{}, &Refusal{Status: 400, Code: "syntax_constraint_violation", Words: "delivery_report"}
		case !digits.MatchString(m.To[0]):
			return Sent{}, &Refusal{Status: 400, Code: "syntax_invalid_parameter_format", Words: "to", Content: true}
		case m.Body == "":
			return Sent{}, &Refusal{Status: 400, Code: "syntax_constraint_violation", Words: "body", Content: true}
		}
		s := Sent{To: "+" + m.To[0], From: m.From, Text: m.Body, Key: m.Reference}
		if m.Report == "per_recipient" {
			s.ReportTo = m.URL
		}
		return s, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 201, object{"id": id, "to": []string{strings.TrimPrefix(s.To, "+")}, "canceled": false, "type": "mt_text"})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		answer(w, r.Status, object{"code": r.Code, "text": r.Words})
	}
	api.Call = func(r Report) (*http.Request, error) {
		call, body, err := postJSON(r.ReportTo, object{
			"type": "recipient_delivery_report_sms", "batch_id": r.ID, "recipient": strings.TrimPrefix(r.To, "+"), "operator": "21407",
			"code": pick(r.State, 401, 0, 406, 402), "status": pick(r.State, "Dispatched", "Delivered", "Expired", "Rejected"),
			"at": r.At.UTC().Format(time.RFC3339), "client_reference": r.Key,
		})
		if err != nil {
			return nil, err
		}
		timestamp := strconv.FormatInt(r.At.Unix(), 10)
		for name, value := range map[string]string{
			"":       base64.StdEncoding.EncodeToString(mac(sha256.New, a.WebhookSecret, string(body), ".", r.Nonce, ".", timestamp)),
			"-nonce": r.Nonce, "-timestamp": timestamp, "-algorithm": "HmacSHA256",
		} {
			call.Header.Set("x-sinch-webhook-signature"+name, value)
		}
		return call, nil
	}
	api.Also = []API{a.voice()}
	return api
}
