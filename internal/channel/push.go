package channel

import (
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/provider"
)

// ComposePush writes a notification. Its Key is the caller's to set.
//
// It is a hint: the application fetches the challenge, and neither the fields nor what is hidden travel
// here. The names of Data are those that the libraries for Android and iOS look for (factors reference,
// section 4.7).
func ComposePush(d factor.PushDelivery) provider.Message {
	n, c := d.Notification, d.Challenge
	text := ""
	if c.Details != nil {
		text = c.Details.Message
	}
	return provider.Message{
		Attempt:  n.SID,
		Channel:  string(factor.ToHandset),
		To:       d.Token,
		Brand:    d.Brand,
		Text:     text,
		Deadline: d.Deadline,
		Push: &provider.Push{
			Platform: string(d.Platform),
			App:      d.AppID,
			Title:    d.Brand,
			Body:     text,
			Data: map[string]string{
				"type":          "verify_push_challenge",
				"challenge_sid": c.SID,
				"factor_sid":    c.FactorSID,
				"message":       text,
			},
			Collapse: c.SID,
		},
	}
}
