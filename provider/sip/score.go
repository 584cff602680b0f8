package sip

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/verifyd/verifyd/provider"
)

// digitPause is the silence between two characters of a code, in milliseconds.
const digitPause = 300

// score is all that a call says, ready to be sent.
type score struct {
	// dial is keyed in as soon as the call is answered: 0-9, *, #, w and W.
	dial string
	// press asks for a key; nil where the code may be spoken at once.
	press []byte
	// message is what is said then; at codeEnd in it the code was said once.
	message []byte
	codeEnd int
}

// maxMessage is the longest speech that a call may hold, a minute and a half.
const maxMessage = 90 * sampleRate

// compose has the voice say the message.
func compose(ctx context.Context, v voice, m provider.Message) (score, error) {
	speech := m.Speech
	s := score{dial: speech.SendDigits}
	say := func(text string) ([]byte, error) {
		return v.say(ctx, phrase{speech.Language, speech.Voice, text})
	}
	var err error
	if speech.PressKey {
		if speech.PressKeyPrompt == "" {
			return score{}, errors.New("the message asks for a key and has no words for it")
		}
		if s.press, err = say(speech.PressKeyPrompt); err != nil {
			return score{}, err
		}
	}
	spelled := 0
	for _, part := range speech.Parts {
		switch {
		case part.Say != "":
			sound, err := say(part.Say)
			if err != nil {
				return score{}, err
			}
			s.message = append(s.message, sound...)
			s.message = append(s.message, silence(digitPause)...)
		case part.PauseMS > 0:
			s.message = append(s.message, silence(min(part.PauseMS, 10_000))...)
		}
		for _, character := range part.Digits {
			sound, err := say(string(character))
			if err != nil {
				return score{}, err
			}
			s.message = append(s.message, sound...)
			if spelled++; spelled == utf8.RuneCountInString(m.Code) {
				s.codeEnd = len(s.message)
			}
			s.message = append(s.message, silence(digitPause)...)
		}
		if len(s.message) > maxMessage {
			return score{}, errors.New("the message is too long for a call")
		}
	}
	if s.codeEnd == 0 {
		return score{}, errors.New("the message does not spell its code")
	}
	once := s.message
	for range min(speech.Repeat, 5) - 1 {
		if len(s.message)+len(once) > maxMessage {
			break
		}
		s.message = append(append(s.message[:len(s.message):len(s.message)], silence(1000)...), once...)
	}
	return s, nil
}
