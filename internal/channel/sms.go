package channel

import (
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

func composeSMS(m *provider.Message, o message.OTP, _ verify.AttemptOptions) {
	t := message.SMS(o)
	m.Text, m.Locale, m.Encoding, m.Segments = t.Text, t.Locale, t.Encoding, t.Segments
}

func composeRCS(m *provider.Message, o message.OTP, _ verify.AttemptOptions) {
	t := message.RCS(o)
	m.Text, m.Locale = t.Text, t.Locale
}
