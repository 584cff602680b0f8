package infobip

import (
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
)

// A call is a voice message, https://www.infobip.com/docs/api/channels/voice/voice-message/
// send-advanced-voice-tts: words that are said to whoever answers. It cannot wait for a key or dial, and
// says nothing about how much was heard. Its answer and its reports are those of a text.

// voiceRequest is the body of a call.
type voiceRequest struct {
	Messages []voiceMessage `json:"messages"`
}

type voiceMessage struct {
	From              string        `json:"from"`
	Destinations      []destination `json:"destinations"`
	Text              string        `json:"text"`
	Language          string        `json:"language"`
	RingTimeout       int           `json:"ringTimeout"`    // seconds
	ValidityPeriod    int           `json:"validityPeriod"` // minutes
	NotifyURL         string        `json:"notifyUrl,omitempty"`
	NotifyContentType string        `json:"notifyContentType,omitempty"`
}

// languages are Infobip's names where they are not those of the language alone; "" is not spoken.
var languages = callscript.Tags{
	"ca": "ca", "da": "da", "de": "de", "en": "en", "en-GB": "en-gb", "es": "es", "fi": "fi", "fr": "fr", "it": "it", "ja": "ja", "ko": "ko",
	"nb": "no", "nl": "nl", "pl": "pl", "pt": "pt", "pt-BR": "pt-br", "ru": "ru", "sv": "sv", "zh": "zh-cn", "zh-CN": "zh-cn", "zh-HK": "",
}

func (p *Provider) voiceRequest(m provider.Message) (voiceRequest, *provider.Error) {
	script, failed := callscript.Compose(m, p.callFrom, p.from)
	if failed != nil {
		return voiceRequest{}, failed
	}
	refuse := func(detail string) (voiceRequest, *provider.Error) {
		return voiceRequest{}, &provider.Error{Class: provider.BadRequest, Detail: detail}
	}
	all, ok := script.All()
	language, spoken := languages.Tag(script.Language)
	switch {
	case !ok:
		return refuse("infobip carries no call that waits for a key")
	case script.SendDigits != "":
		return refuse("infobip does not dial digits after the answer")
	case !spoken:
		return refuse("infobip does not speak the language of the message")
	}
	out := voiceMessage{
		From: strings.TrimPrefix(script.From, "+"), Destinations: []destination{{To: strings.TrimPrefix(m.To, "+"), MessageID: m.Key}},
		Text: callscript.Text(all), Language: language, RingTimeout: callscript.Ring,
		ValidityPeriod: int(p.sender.Life(m, time.Minute, 10*time.Minute).Minutes()),
	}
	if p.reportURL != "" {
		out.NotifyURL, out.NotifyContentType = p.reportURL, "application/json"
	}
	return voiceRequest{[]voiceMessage{out}}, nil
}
