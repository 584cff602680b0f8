package channel

import (
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

func composeWhatsApp(m *provider.Message, o message.OTP, _ verify.AttemptOptions) {
	t := message.WhatsApp(o)
	m.Text, m.Locale = t.Text, t.Locale
	m.Template = &provider.Template{Name: t.Name, Language: t.Language, Vars: t.Vars}
}
