package vendors

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// WhatsAppAccount is a business number, who may send by it, and the templates that are approved for it.
type WhatsAppAccount struct {
	NumberID, Token        string
	AppSecret, VerifyToken string
	// Templates are languages by the names of the templates; nil has every template in every language.
	Templates map[string][]string
}

// WhatsApp is the Cloud API (developers.facebook.com/docs/whatsapp/cloud-api), for authentication
// templates with a button that copies the code. Their text is Meta's, so that what arrives here is the
// code alone. Its webhook is one of the app.
func WhatsApp(a WhatsAppAccount) API {
	api := API{
		Name: "whatsapp", Prefix: "wamid.", Webhook: true,
		Table: func(base string) [][2]string {
			return [][2]string{{"phone_number_id", a.NumberID}, {"access_token", a.Token}, {"app_secret", a.AppSecret},
				{"verify_token", a.VerifyToken}, {"base_url", base + "/v23.0"}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 500, Code: "131016"}, desk.Throttled: {Status: 429, Code: "130429"}, desk.Unknown: {Status: 500, Code: "131000"},
			desk.BadRecipient: {Status: 400, Code: "131026"}, desk.BadRequest: {Status: 400, Code: "132001"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+a.Token:
			return Sent{}, &Refusal{Status: 401, Code: "190", Words: "Error validating access token"}
		case r.Method != http.MethodPost || r.URL.Path != "/v23.0/"+a.NumberID+"/messages":
			return Sent{}, &Refusal{Status: 400, Code: "100", Words: "Unsupported post request"}
		}
		var m whatsAppMessage
		if !strict(body, &m) || m.Product != "whatsapp" || m.Type != "template" || m.RecipientType != "individual" {
			return Sent{}, &Refusal{Status: 400, Code: "131009", Words: "Parameter value is not valid"}
		}
		languages, known := a.Templates[m.Template.Name]
		code, ok := m.Template.code()
		switch {
		case m.Template.Name == "" || m.Template.Language.Code == "" ||
			a.Templates != nil && (!known || !slices.Contains(languages, m.Template.Language.Code)):
			return Sent{}, &Refusal{Status: 404, Code: "132001", Words: "Template name does not exist in the translation", Content: true}
		case !ok:
			return Sent{}, &Refusal{Status: 400, Code: "132000", Words: "Number of parameters does not match the expected number of params"}
		case !digits.MatchString(m.To):
			return Sent{}, &Refusal{Status: 400, Code: "131009", Words: "Recipient is not a valid number", Content: true}
		case code == "" || len(code) > 15:
			return Sent{}, &Refusal{Status: 400, Code: "132005", Words: "Translated text too long", Content: true}
		}
		return Sent{To: "+" + m.To, From: a.NumberID, Text: code, Key: m.CallbackData}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		number := strings.TrimPrefix(s.To, "+")
		answer(w, 200, object{"messaging_product": "whatsapp", "contacts": []object{{"input": number, "wa_id": number}},
			"messages": []object{{"id": id, "message_status": "accepted"}}})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		code, _ := strconv.Atoi(r.Code)
		answer(w, r.Status, object{"error": object{"message": "(#" + r.Code + ") No", "type": "OAuthException", "code": code,
			"error_data": object{"messaging_product": "whatsapp", "details": r.Words}}})
	}
	api.Call = func(r Report) (*http.Request, error) {
		status := object{"id": r.ID, "recipient_id": strings.TrimPrefix(r.To, "+"), "timestamp": strconv.FormatInt(r.At.Unix(), 10),
			"status": pick(r.State, "sent", "delivered", "failed", "failed"), "biz_opaque_callback_data": r.Key}
		if code := pick(r.State, 0, 0, 131049, 131026); code != 0 {
			status["errors"] = []object{{"code": code, "title": "Not delivered"}}
		}
		call, body, err := postJSON(r.ReportTo, object{"object": "whatsapp_business_account", "entry": []object{{"id": "0", "changes": []object{{
			"field": "messages", "value": object{"messaging_product": "whatsapp", "metadata": object{"phone_number_id": a.NumberID}, "statuses": []object{status}},
		}}}}})
		if err != nil {
			return nil, err
		}
		call.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(sha256.New, a.AppSecret, string(body))))
		return call, nil
	}
	api.Subscribe = func(webhook string) (*http.Request, string, error) {
		const challenge = "1158201444"
		query := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {a.VerifyToken}, "hub.challenge": {challenge}}
		ask, err := http.NewRequest(http.MethodGet, webhook+"?"+query.Encode(), nil)
		return ask, challenge, err
	}
	return api
}

type whatsAppMessage struct {
	Product       string           `json:"messaging_product"`
	RecipientType string           `json:"recipient_type"`
	To            string           `json:"to"`
	Type          string           `json:"type"`
	CallbackData  string           `json:"biz_opaque_callback_data"`
	Template      whatsAppTemplate `json:"template"`
}

type whatsAppTemplate struct {
	Name     string `json:"name"`
	Language struct {
		Policy string `json:"policy"`
		Code   string `json:"code"`
	} `json:"language"`
	Components []struct {
		Type       string `json:"type"`
		SubType    string `json:"sub_type"`
		Index      string `json:"index"`
		Parameters []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"parameters"`
	} `json:"components"`
}

// code is what the template says and what its button copies, which must be the same.
func (t whatsAppTemplate) code() (string, bool) {
	c := t.Components
	if len(c) != 2 || c[0].Type != "body" || c[1].Type != "button" || c[1].SubType != "url" || c[1].Index != "0" ||
		len(c[0].Parameters) != 1 || len(c[1].Parameters) != 1 || c[0].Parameters[0] != c[1].Parameters[0] || c[0].Parameters[0].Type != "text" {
		return "", false
	}
	return c[0].Parameters[0].Text, true
}
