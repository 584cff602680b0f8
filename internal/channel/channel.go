// Package channel composes what a person is sent: it turns an attempt and its code into a
// provider.Message, by the rules of the channel.
package channel

import (
	"time"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// Compose writes the message of a delivery. Its Key is the caller's to set.
func Compose(d verify.Delivery) provider.Message {
	a := d.Attempt
	m := provider.Message{
		Attempt:      a.SID,
		Verification: a.VerificationSID,
		Channel:      string(a.Channel),
		To:           a.To,
		Country:      a.Country,
		Code:         d.Code,
		Brand:        a.Brand,
		Deadline:     d.Deadline,
	}
	o := message.OTP{
		Brand:      a.Brand,
		Code:       d.Code,
		Locale:     a.Locale,
		Amount:     d.Amount,
		Payee:      d.Payee,
		DoNotShare: a.Options.DoNotShare,
		AppHash:    a.Options.AppHash,
		Brandless:  a.Options.Brandless,
		ExpiresIn:  d.TTL.Round(time.Minute),
	}
	if t := a.Options.Template; t != nil {
		o.Words = t.Words()
	}
	compose[a.Channel](&m, o, a.Options)
	return m
}

// compose is how each channel writes, one file each.
var compose = map[verify.Channel]func(*provider.Message, message.OTP, verify.AttemptOptions){
	verify.SMS:      composeSMS,
	verify.RCS:      composeRCS,
	verify.Call:     composeCall,
	verify.Email:    composeEmail,
	verify.WhatsApp: composeWhatsApp,
}
