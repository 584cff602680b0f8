package message

import (
	"maps"
	"testing"
)

func TestWhatsAppTemplate(t *testing.T) {
	tests := []struct{ locale, tag, language, text string }{
		{"", "en", "en", "*123456* is your verification code."},
		{"en", "en", "en", "*123456* is your verification code."},
		{"en_us", "en-US", "en_US", "*123456* is your verification code."},
		{"en-GB", "en-GB", "en_GB", "*123456* is your verification code."},
		{"pt_br", "pt-BR", "pt_BR", "Seu código de verificação é *123456*."},
		{"pt", "pt-PT", "pt_PT", "*123456* é o seu código de verificação."},
		{"zh", "zh-CN", "zh_CN", "*123456* 是您的验证码。"},
		{"zh-TW", "zh-TW", "zh_TW", "*123456* 是您的驗證碼。"},
		{"es-MX", "es-MX", "es_MX", "Tu código de verificación es *123456*."},
		{"fil", "fil", "fil", "*123456* ang iyong verification code."},
		{"tl", "fil", "fil", "*123456* ang iyong verification code."},
		// Languages that only WhatsApp has: English words to show, its own template to send.
		{"sw", "sw", "sw", "*123456* is your verification code."},
		{"rw", "rw", "rw_RW", "*123456* is your verification code."},
		{"rw_RW", "rw-RW", "rw_RW", "*123456* is your verification code."},
		{"ky", "ky", "ky_KG", "*123456* is your verification code."},
		{"xx", "en", "en", "*123456* is your verification code."},
	}
	for _, tt := range tests {
		got := WhatsApp(OTP{Brand: "Acme", Code: "123456", Locale: tt.locale})
		if got.Locale != tt.tag || got.Language != tt.language || got.Text != tt.text {
			t.Errorf("%q:\ngot  %s %s %s\nwant %s %s %s", tt.locale, got.Locale, got.Language, got.Text, tt.tag, tt.language, tt.text)
		}
		if got.Name != "verification_code" || !maps.Equal(got.Vars, map[string]string{"1": "123456"}) {
			t.Errorf("%q: template %s with %v", tt.locale, got.Name, got.Vars)
		}
	}
}

func TestEveryWhatsAppLanguageHasATemplate(t *testing.T) {
	for _, tag := range whatsappLocales {
		got := WhatsApp(OTP{Code: "123456", Locale: tag})
		if got.Locale != tag || got.Language == "" || got.Text == "" {
			t.Errorf("%s: %+v", tag, got)
		}
	}
}
