package channel

import (
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

func composeCall(m *provider.Message, o message.OTP, options verify.AttemptOptions) {
	s := message.Call(o)
	m.Text, m.Locale = s.Text, s.Locale
	m.Speech = &provider.Speech{
		Language:   s.Locale,
		Voice:      options.Voice,
		Repeat:     1, // the parts say the code twice
		PressKey:   options.PressKey,
		SendDigits: options.SendDigits,
	}
	if options.PressKey {
		m.Speech.PressKeyPrompt = s.PressKeyPrompt
	}
	for _, part := range s.Parts {
		m.Speech.Parts = append(m.Speech.Parts, provider.SpeechPart(part))
	}
}
