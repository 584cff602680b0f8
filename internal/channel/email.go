package channel

import (
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

func composeEmail(m *provider.Message, o message.OTP, options verify.AttemptOptions) {
	mail := message.Email(o)
	m.Text, m.Locale = mail.Text, "en"
	m.Email = &provider.Email{
		Subject:  mail.Subject,
		Text:     mail.Text,
		HTML:     mail.HTML,
		From:     options.EmailFrom,
		FromName: options.EmailFromName,
	}
}
