package inbox

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// The messages here are what verifyd would compose, one for each channel.

func sampleSMS() provider.Message {
	return provider.Message{
		Attempt: sampleSID("VL", 1), Verification: sampleSID("VE", 1), Key: sampleSID("VL", 1) + ":1",
		Channel: "sms", To: "+34612345678", From: "Harbor", Country: "ES", Locale: "es",
		Code: "482913", Brand: "Harbor Bank",
		Text:     "Su código de verificación de Harbor Bank es: 482913. No lo comparta con nadie.",
		Segments: 1, Encoding: "gsm7",
	}
}

func sampleCall() provider.Message {
	return provider.Message{
		Attempt: sampleSID("VL", 2), Verification: sampleSID("VE", 2), Key: sampleSID("VL", 2) + ":1",
		Channel: "call", To: "+447700900123", From: "+442079460018", Country: "GB", Locale: "en-GB",
		Code: "739204", Brand: "Harbor Bank",
		Text: "Your Harbor Bank verification code is 7, 3, 9, 2, 0, 4.",
		Speech: &provider.Speech{
			Language: "en-GB", Voice: "amy", Repeat: 2, PressKey: true,
			PressKeyPrompt: "Press any key to hear your verification code.",
			Parts: []provider.SpeechPart{
				{Say: "Your Harbor Bank verification code is"},
				{Digits: "739204"},
				{PauseMS: 1500},
				{Say: "Again, your code is"},
				{Digits: "739204"},
			},
		},
	}
}

func sampleEmail() provider.Message {
	return provider.Message{
		Attempt: sampleSID("VL", 3), Verification: sampleSID("VE", 3), Key: sampleSID("VL", 3) + ":1",
		Channel: "email", To: "Ines.Moreau@example.com", Locale: "en", Code: "160877", Brand: "Fernweh",
		Text: "Your Fernweh verification code is: 160877",
		Email: &provider.Email{
			Subject: "160877 is your Fernweh verification code",
			From:    "no-reply@fernweh.example", FromName: "Fernweh",
			Text: "Hello,\n\nyour Fernweh verification code is:\n\n    160877\n\n" +
				"It is good for ten minutes. If you did not ask for it, you can ignore this message.\n",
			HTML: `<!doctype html><html lang="en"><head><meta charset="utf-8"><style>
  body { margin: 0; padding: 40px 20px; background: #f4f4f1; font: 16px/1.6 system-ui, sans-serif; color: #1d1e20; }
  .card { max-width: 440px; margin: 0 auto; padding: 34px 38px; background: #fff; border-radius: 14px; }
  h1 { margin: 0 0 14px; font-size: 20px; letter-spacing: -.01em; }
  p { margin: 0 0 14px; }
  .code { margin: 22px 0; padding: 16px; border-radius: 10px; background: #f4f4f1; text-align: center;
    font-size: 32px; font-weight: 600; letter-spacing: .18em; }
  .small { margin: 0; color: #6c6d70; font-size: 13px; }
</style></head><body><div class="card"><h1>Fernweh</h1>
  <p>Enter this code to confirm your e-mail address.</p><p class="code">160877</p>
  <p class="small">It is good for ten minutes. If you did not ask for it, you can ignore this message.</p>
</div></body></html>`,
		},
	}
}

func sampleWhatsApp() provider.Message {
	return provider.Message{
		Attempt: sampleSID("VL", 4), Verification: sampleSID("VE", 4), Key: sampleSID("VL", 4) + ":1",
		Channel: "whatsapp", To: "+5511961234567", From: "+551140028922", Country: "BR", Locale: "pt-BR",
		Code: "205518", Brand: "Padaria Aurora",
		Text:     "205518 é seu código de verificação. Para sua segurança, não o compartilhe.",
		Template: &provider.Template{Name: "verifyd_code", Language: "pt_BR", Vars: map[string]string{"1": "205518"}},
	}
}

func sampleRCS() provider.Message {
	return provider.Message{
		Attempt: sampleSID("VL", 5), Verification: sampleSID("VE", 5), Key: sampleSID("VL", 5) + ":1",
		Channel: "rcs", To: "+14155550134", From: "fernweh_agent", Country: "US", Locale: "en",
		Code: "571640", Brand: "Fernweh", Text: "Your Fernweh verification code is: 571640",
	}
}

func samples() []provider.Message {
	return []provider.Message{sampleSMS(), sampleCall(), sampleEmail(), sampleWhatsApp(), sampleRCS()}
}

// textTo is the shortest message there is.
func textTo(to, code string) provider.Message {
	return provider.Message{Channel: "sms", To: to, Code: code, Text: "Your code is " + code, Segments: 1, Encoding: "gsm7"}
}

// sampleSID looks like a real one and is the same in every run.
func sampleSID(prefix string, n int) string {
	return fmt.Sprintf("%s%08x%s%08x", prefix, n*0x1d3f9a7b&0xffffffff, "5c02e1b7d84f9a36", n*0x51ab3c4d&0xffffffff)
}

func send(t *testing.T, in *Inbox, m provider.Message) string {
	t.Helper()
	got, err := in.Send(context.Background(), m)
	if err != nil {
		t.Fatalf("Send to %s: %v", m.To, err)
	}
	return got.ID
}

// clock is a Now that the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// states is a State that the test fills, and that counts how often it is asked.
type states struct {
	mu    sync.Mutex
	by    map[string]string
	asked map[string]int
}

func newStates() *states {
	return &states{by: make(map[string]string), asked: make(map[string]int)}
}

func (s *states) set(verification, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[verification] = status
}

func (s *states) get(_ context.Context, verification string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[verification]++
	status, ok := s.by[verification]
	if !ok {
		return "", fmt.Errorf("no verification %s", verification)
	}
	return status, nil
}

func (s *states) questions(verification string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[verification]
}

func codes(messages []Message) string {
	var got []string
	for _, m := range messages {
		got = append(got, m.Code)
	}
	return strings.Join(got, " ")
}
