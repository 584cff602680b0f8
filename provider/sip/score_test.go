package sip

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

// spoken as the channel composes it (internal/channel, composeCall).
func spokenMessage(locale, brand, code string) provider.Message {
	s := message.Call(message.OTP{Locale: locale, Brand: brand, Code: code})
	m := provider.Message{Channel: "call", To: "+34612345678", Code: code, Speech: &provider.Speech{
		Language: s.Locale, Repeat: 1, PressKey: true, PressKeyPrompt: s.PressKeyPrompt,
	}}
	for _, part := range s.Parts {
		m.Speech.Parts = append(m.Speech.Parts, provider.SpeechPart(part))
	}
	return m
}

// TestEveryLanguageOfCallsIsRecorded: a sentence that is changed in the catalog wants its recording
// changed, and a language that the API takes is one that a telephone can speak.
func TestEveryLanguageOfCallsIsRecorded(t *testing.T) {
	tags := []string{"zh-CN"}
	for _, l := range languages {
		tags = append(tags, l.tag)
	}
	// The languages that the API has a voice for: Supported says so for no others.
	for _, tag := range strings.Fields("af ar ca zh-HK zh zh-CN hr cs da nl en en-GB et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt pt-BR ro ru sk es sv te tl th tr uk vi") {
		if message.Supported("call", tag) != slices.Contains(tags, tag) {
			t.Errorf("%s: supported for calls %v, recorded %v", tag, message.Supported("call", tag), slices.Contains(tags, tag))
		}
	}
	for _, tag := range tags {
		for _, brand := range []string{"Acme", "e", "コード"} {
			m := spokenMessage(tag, brand, "0123456789")
			s, err := compose(t.Context(), newRecordings(nil), m)
			if err != nil {
				t.Errorf("%s, for %s: %v", tag, brand, err)
				continue
			}
			if n := len(s.message) / sampleRate; len(s.press) < sampleRate || n < 10 || n > 60 || s.codeEnd > len(s.message)*2/3 {
				t.Errorf("%s: a call of %d s asks for %d ms, and has said the code after %d ms", tag, n, len(s.press)/8, s.codeEnd/8)
			}
		}
	}
}

// TestTheRecordingsSayTheCode finds the digits in what is said, in their order, by their sound.
func TestTheRecordingsSayTheCode(t *testing.T) {
	for _, l := range languages {
		const code = "9081726354"
		s, err := compose(t.Context(), newRecordings(nil), spokenMessage(l.tag, "Acme", code))
		if err != nil {
			t.Fatal(err)
		}
		if got := digitsByEar(t, l.tag, s.message); got != code+code {
			t.Errorf("%s: heard %s", l.tag, got)
		}
		if got := digitsByEar(t, l.tag, s.press); got != "" {
			t.Errorf("%s: before the key was heard %s", l.tag, got)
		}
	}
}

// digitsByEar are the digits whose recordings are in the sound, in their order.
func digitsByEar(t testing.TB, tag string, sound []byte) string {
	t.Helper()
	type found struct {
		at    int
		digit byte
	}
	var all []found
	for digit := byte('0'); digit <= '9'; digit++ {
		pattern, err := newRecordings(nil).say(t.Context(), phrase{language: tag, text: string(digit)})
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; ; {
			i := bytes.Index(sound[at:], pattern)
			if i < 0 {
				break
			}
			all = append(all, found{at + i, digit})
			at += i + len(pattern)
		}
	}
	slices.SortFunc(all, func(a, b found) int { return a.at - b.at })
	var digits []byte
	for _, f := range all {
		digits = append(digits, f.digit)
	}
	return string(digits)
}

func TestWhatWasNotRecordedIsNotSaid(t *testing.T) {
	p, err := New(Config{Server: "127.0.0.1", From: "+34910000000"}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	free := spokenMessage("en", "Acme", "123456")
	free.Speech.Parts[0].Say = "Welcome! Here it comes:"
	letters := spokenMessage("en", "Acme", "12ab56")
	foreign := spokenMessage("en", "Acme", "123456")
	foreign.Speech.Language = "eu"
	mute := spokenMessage("en", "Acme", "123456")
	mute.Speech.Parts = mute.Speech.Parts[:1]
	for name, m := range map[string]provider.Message{"a sentence": free, "letters": letters, "a language": foreign, "a message without its code": mute} {
		_, err := p.Send(t.Context(), m)
		e := provider.AsError(err)
		if e.Class != provider.BadRequest || !strings.Contains(e.Detail, "nothing to say it with") || strings.Contains(e.Error(), m.Code) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOwnRecordingsComeFirst(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "en"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "en", "7.ulaw"), []byte("seven"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := newRecordings(os.DirFS(dir))
	own, err := r.say(t.Context(), phrase{language: "en", text: "7"})
	if err != nil || string(own) != "seven" {
		t.Errorf("got %q, %v", own, err)
	}
	if other, err := r.say(t.Context(), phrase{language: "en", text: "8"}); err != nil || len(other) < 1000 {
		t.Errorf("got %d bytes, %v", len(other), err)
	}
}

func TestPhrasesAreRepeatedAndBounded(t *testing.T) {
	m := providertest.Message("call", 1)
	once, err := compose(t.Context(), beeps{}, m)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(spelled(once.message[:once.codeEnd]), m.Code); got != 1 {
		t.Errorf("the code was said %d times where it says once", got)
	}
	m.Speech.Repeat = 1_000_000
	many, err := compose(t.Context(), beeps{}, m)
	if err != nil || len(many.message) > maxMessage {
		t.Errorf("%d ms, %v", len(many.message)/8, err)
	}
	m.Speech.Parts = slices.Repeat([]provider.SpeechPart{{PauseMS: 1 << 30}}, 10)
	if _, err := compose(t.Context(), beeps{}, m); err == nil {
		t.Error("a pause of a century was composed")
	}
}

// The engines of these tests are this test program itself.
func TestMain(m *testing.M) {
	switch os.Getenv("VERIFYD_TEST_ENGINE") {
	case "tone":
		os.Stdout.Write(wav(22050, 1, 1000, 1<<30))
	case "silent":
		os.Stdout.Write(wav(22050, 1, 0, 1<<30))
	case "broken":
		os.Stderr.WriteString("no such voice\n")
		os.Exit(3)
	case "endless":
		for {
			if _, err := os.Stdout.Write(make([]byte, 1<<20)); err != nil {
				os.Exit(4)
			}
		}
	default:
		os.Exit(m.Run())
	}
}

func TestAProgramSpeaks(t *testing.T) {
	for _, c := range []struct{ kind, problem string }{
		{"tone", ""}, {"silent", "it is silent"}, {"broken", "no such voice"}, {"endless", "speech_command: "},
	} {
		t.Run(c.kind, func(t *testing.T) {
			t.Setenv("VERIFYD_TEST_ENGINE", c.kind)
			e := newEngine([]string{os.Args[0], "{language}", "{voice}"}, map[string]string{"zh": "cmn"})
			p := phrase{language: "zh-CN", text: "code"}
			if got := e.arguments(p)[1:]; !slices.Equal(got, []string{"zh-CN", "cmn"}) {
				t.Errorf("arguments %q", got)
			}
			sound, err := e.say(t.Context(), p)
			if c.problem == "" {
				if err != nil || len(sound) < 3900 {
					t.Fatalf("%d bytes, %v", len(sound), err)
				}
				t.Setenv("VERIFYD_TEST_ENGINE", "broken")
				if again, err := e.say(t.Context(), p); err != nil || !bytes.Equal(again, sound) {
					t.Errorf("what was said is not kept: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
		})
	}
}

// mute is a voice that fails.
type mute struct{}

func (mute) say(context.Context, phrase) ([]byte, error) { return nil, errors.New("hoarse") }

func TestAnotherVoiceSaysAllOfIt(t *testing.T) {
	p, err := New(Config{Server: "127.0.0.1", From: "+34910000000"}, provider.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	p.voices = []voice{mute{}, beeps{}}
	if _, failed := p.compose(t.Context(), providertest.Message("call", 1)); failed != nil {
		t.Error(failed)
	}
	p.voices = []voice{newEngine([]string{"/nonexistent/program"}, nil), newRecordings(nil)}
	_, failed := p.compose(t.Context(), providertest.Message("call", 1))
	if failed == nil || failed.Class != provider.Temporary {
		t.Errorf("a program that may be mended: %v", failed)
	}
}
