package vendors

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
)

// InfobipAccount is who may send by Infobip, and what its reports authenticate with.
type InfobipAccount struct{ Key, ReportUsername, ReportPassword string }

// Infobip is SMS API v3 (infobip.com/docs/api/channels/sms), and voice messages. It answers 200 for messages that it
// rejects. The sender chooses the identifier.
func Infobip(a InfobipAccount) API {
	api := API{
		Name: "infobip",
		Table: func(base string) [][2]string {
			return [][2]string{{"base_url", base}, {"api_key", a.Key}, {"from", "Acme"}, {"call_from", "+15005550006"},
				{"report_username", a.ReportUsername}, {"report_password", a.ReportPassword}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503, Code: "E503"}, desk.Throttled: {Status: 200, Code: "20"}, desk.Unknown: {Status: 500, Code: "E500"},
			desk.BadRecipient: {Status: 200, Code: "14"}, desk.BadRequest: {Status: 200, Code: "12"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		switch {
		case r.Header.Get("Authorization") != "App "+a.Key:
			return Sent{}, &Refusal{Status: 401, Code: "E401", Words: "The request lacks valid authentication credentials."}
		case r.Method != http.MethodPost || r.URL.Path != "/sms/3/messages":
			return Sent{}, &Refusal{Status: 404, Code: "E404", Words: "Requested URL not found."}
		}
		var read struct {
			Messages []struct {
				Sender       string                           `json:"sender"`
				Destinations []struct{ To, MessageID string } `json:"destinations"`
				Content      struct {
					Text string `json:"text"`
				} `json:"content"`
				Options struct {
					ValidityPeriod struct {
						Amount   int    `json:"amount"`
						TimeUnit string `json:"timeUnit"`
					} `json:"validityPeriod"`
				} `json:"options"`
				Webhooks struct {
					Delivery struct {
						URL string `json:"url"`
					} `json:"delivery"`
				} `json:"webhooks"`
			} `json:"messages"`
		}
		if !strict(body, &read) || len(read.Messages) != 1 || len(read.Messages[0].Destinations) != 1 {
			return Sent{}, &Refusal{Status: 400, Code: "E400", Words: "Request cannot be processed."}
		}
		m := read.Messages[0]
		to := m.Destinations[0]
		life := m.Options.ValidityPeriod
		switch {
		case m.Sender == "":
			return Sent{}, &Refusal{Status: 200, Code: "12", Words: "REJECTED_INVALID_SENDER"}
		case life.Amount != 0 && (life.TimeUnit != "SECONDS" && life.TimeUnit != "MINUTES" && life.TimeUnit != "HOURS" || life.Amount < 0):
			return Sent{}, &Refusal{Status: 400, Code: "E400", Words: "validityPeriod is not valid"}
		case !digits.MatchString(to.To):
			return Sent{}, &Refusal{Status: 200, Code: "52", Words: "Invalid destination address.", Content: true}
		case m.Content.Text == "":
			return Sent{}, &Refusal{Status: 400, Code: "E400", Words: "content.text is missing", Content: true}
		}
		return Sent{
			To: "+" + to.To, From: m.Sender, Text: m.Content.Text, Key: to.MessageID, ID: to.MessageID, ReportTo: m.Webhooks.Delivery.URL,
		}, nil
	}
	api.Accept = func(w http.ResponseWriter, s Sent, id string) {
		answer(w, 200, object{"bulkId": "b", "messages": []object{{
			"messageId": id, "destination": strings.TrimPrefix(s.To, "+"), "details": object{"messageCount": 1},
			"status": object{"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "Message sent to next instance"},
		}}})
	}
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		if r.Status != 200 {
			answer(w, r.Status, object{"errorCode": cmp.Or(r.Code, "E500"), "description": r.Words})
			return
		}
		id, _ := strconv.Atoi(r.Code)
		answer(w, 200, object{"messages": []object{{
			"status": object{"groupId": 5, "groupName": "REJECTED", "id": id, "name": "REJECTED", "description": r.Words},
		}}})
	}
	api.Call = func(r Report) (*http.Request, error) {
		call, _, err := postJSON(r.ReportTo, object{"results": []object{{
			"messageId": r.ID, "to": strings.TrimPrefix(r.To, "+"), "doneAt": r.At.UTC().Format("2006-01-02T15:04:05.000-0700"),
			"mccMnc": "21407", "messageCount": 1, "price": object{"pricePerMessage": 0.04, "currency": "EUR"},
			"status": object{"groupName": pick(r.State, "PENDING", "DELIVERED", "UNDELIVERABLE", "UNDELIVERABLE"), "id": pick(r.State, 3, 5, 4, 4)},
			"error":  object{"id": pick(r.State, 0, 0, 27, 1), "permanent": r.State == desk.NoSuch},
		}}})
		if err == nil {
			call.SetBasicAuth(a.ReportUsername, a.ReportPassword)
		}
		return call, err
	}
	api.Also = []API{a.voice(api)}
	return api
}

// voice are voice messages (infobip.com/docs/api/channels/voice/voice-message/send-advanced-voice-tts): words
// that are said to whoever answers. They are accepted, refused and reported as texts are.
func (a InfobipAccount) voice(texts API) API {
	api := texts
	api.Takes = func(r *http.Request) bool { return r.URL.Path == "/tts/3/advanced" }
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		var read struct {
			Messages []struct {
				From              string                           `json:"from"`
				Destinations      []struct{ To, MessageID string } `json:"destinations"`
				Text              string                           `json:"text"`
				Language          string                           `json:"language"`
				RingTimeout       int                              `json:"ringTimeout"`
				ValidityPeriod    int                              `json:"validityPeriod"`
				NotifyURL         string                           `json:"notifyUrl"`
				NotifyContentType string                           `json:"notifyContentType"`
			} `json:"messages"`
		}
		switch {
		case r.Header.Get("Authorization") != "App "+a.Key:
			return Sent{}, &Refusal{Status: 401, Code: "E401", Words: "The request lacks valid authentication credentials."}
		case r.Method != http.MethodPost || !strict(body, &read) || len(read.Messages) != 1 || len(read.Messages[0].Destinations) != 1:
			return Sent{}, &Refusal{Status: 400, Code: "E400", Words: "Request cannot be processed."}
		}
		m := read.Messages[0]
		to := m.Destinations[0]
		switch {
		case !digits.MatchString(m.From):
			return Sent{}, &Refusal{Status: 200, Code: "12", Words: "REJECTED_INVALID_SENDER"}
		case m.Language == "" || m.NotifyURL != "" && m.NotifyContentType != "application/json":
			return Sent{}, &Refusal{Status: 400, Code: "E400", Words: "language or notifyContentType is not valid"}
		case !digits.MatchString(to.To):
			return Sent{}, &Refusal{Status: 200, Code: "52", Words: "Invalid destination address.", Content: true}
		case m.Text == "":
			return Sent{}, &Refusal{Status: 400, Code: "E400", Words: "text is missing", Content: true}
		}
		return Sent{To: "+" + to.To, From: m.From, Script: m.Text, Key: to.MessageID, ID: to.MessageID, ReportTo: m.NotifyURL}, nil
	}
	api.Talk = func(l *Line) error {
		for line := range strings.Lines(l.Script) {
			l.Hear(twiml.Unspell(strings.TrimSpace(line)))
		}
		return nil
	}
	return api
}
