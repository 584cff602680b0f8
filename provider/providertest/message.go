package providertest

import (
	"fmt"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// Channels are all that a Message can be for.
var Channels = []string{"sms", "call", "email", "whatsapp", "rcs", "push"}

// Message is a complete message for channel, as verifyd composes it. Each n gives another
// address, code, attempt and key; the same n gives the same message.
func Message(channel string, n int) provider.Message {
	// Eight digits, so that they stand in no port, time or identifier by chance.
	code := fmt.Sprintf("7%07d", (n*1299709+4815162)%10_000_000)
	text := code + " is your Acme code"
	m := provider.Message{
		Attempt:      fmt.Sprintf("VL%032x", n+1),
		Verification: fmt.Sprintf("VE%032x", n+1),
		Key:          fmt.Sprintf("VL%032x:1", n+1),
		Channel:      channel,
		To:           fmt.Sprintf("+34612%06d", (n*7919+345678)%1_000_000),
		Country:      "ES",
		Locale:       "en",
		Code:         code,
		Brand:        "Acme",
		Text:         text,
		Deadline:     time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	switch channel {
	case "sms":
		m.Segments, m.Encoding = 1, "gsm7"
	case "call":
		m.Speech = &provider.Speech{
			Language: "en",
			Parts:    []provider.SpeechPart{{Say: "Your Acme code is"}, {PauseMS: 500}, {Digits: code}},
			Repeat:   2,
		}
	case "whatsapp":
		m.Template = &provider.Template{Name: "otp", Language: "en", Vars: map[string]string{"code": code}}
	case "email":
		m.To, m.Country = fmt.Sprintf("pat.%04d@example.com", n), ""
		m.Email = &provider.Email{
			Subject: text,
			Text:    text + ".\n\nIt is good for ten minutes.\n",
			HTML:    "<p><b>" + code + "</b> is your Acme code.</p>\n<p>It is good for ten minutes.</p>\n",
		}
	case "push":
		m.To, m.Country, m.Code, m.Text = fmt.Sprintf("eFcm%018d:APA91b%0134x", n, n+1), "", "", ""
		challenge := fmt.Sprintf("YC%032x", n+1)
		m.Push = &provider.Push{
			Platform: "fcm",
			App:      "com.acme.app",
			Title:    "Acme",
			Body:     "Log in to Acme?",
			Data: map[string]string{
				"type":          "verify_push_challenge",
				"challenge_sid": challenge,
				"factor_sid":    fmt.Sprintf("YF%032x", n+1),
				"message":       "Log in to Acme?",
			},
			Collapse: challenge,
		}
	}
	return m
}

// mark is what tells m from every other message: its code, or the challenge of a notification,
// which has no code.
func mark(m provider.Message) string {
	if m.Push != nil {
		return m.Push.Data["challenge_sid"]
	}
	return m.Code
}
