package callscript_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/callscript"
	"github.com/verifyd/verifyd/provider/providertest"
)

const caller = "+34910000000"

func message() provider.Message {
	m := providertest.Message("call", 1)
	m.Code = "482913"
	m.Speech = &provider.Speech{Language: "en", Repeat: 1, Parts: []provider.SpeechPart{
		{Say: "Your Acme code is:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"}, {PauseMS: 1000},
		{Say: "Once again:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"},
	}}
	return m
}

func TestTheCodeIsSpelledAndSaidAgain(t *testing.T) {
	s, failed := callscript.Compose(message(), caller)
	if failed != nil {
		t.Fatal(failed)
	}
	code := []callscript.Line{{Say: "Your Acme code is:"}, {Say: "4, 8, 2."}, {Pause: 600}, {Say: "9, 1, 3."}}
	again := []callscript.Line{{Pause: 1000}, {Say: "Once again:"}, {Say: "4, 8, 2."}, {Pause: 600}, {Say: "9, 1, 3."}}
	if want := (callscript.Page{Say: code, Then: &callscript.Page{Said: true, Say: again}}); !reflect.DeepEqual(s.First, want) {
		t.Errorf("got %+v, want %+v", s.First, want)
	}
	all, ok := s.All()
	if want := append(append([]callscript.Line{}, code...), again...); !ok || !reflect.DeepEqual(all, want) {
		t.Errorf("all of it: got %+v, %v", all, ok)
	}
	if s.From != caller || s.Language != "en" {
		t.Errorf("got %+v", s)
	}
}

func TestAKeyComesBeforeTheCode(t *testing.T) {
	m := message()
	m.Speech.PressKey, m.Speech.PressKeyPrompt = true, "Press any key."
	s, failed := callscript.Compose(m, caller)
	if failed != nil {
		t.Fatal(failed)
	}
	first := s.First
	if first.Ask != "Press any key." || first.Say != nil || first.Then == nil || !first.Then.Key || !first.Then.Then.Said {
		t.Errorf("got %+v", first)
	}
	if all, ok := s.All(); ok {
		t.Errorf("without asking anybody: got %+v", all)
	}
}

func TestRepeats(t *testing.T) {
	m := message()
	m.Speech.Parts = []provider.SpeechPart{{Digits: "482913"}}
	for repeat, want := range map[int]int{0: 1, 1: 1, 2: 2, 99: 5} {
		m.Speech.Repeat = repeat
		s, failed := callscript.Compose(m, caller)
		if failed != nil {
			t.Fatal(failed)
		}
		all, _ := s.All()
		if got := strings.Count(callscript.Text(all), "4, 8, 2, 9, 1, 3."); got != want {
			t.Errorf("%d: said %d times, want %d", repeat, got, want)
		}
	}
}

func TestWhoCalls(t *testing.T) {
	for _, c := range []struct {
		route   string
		callers []string
		want    string
	}{
		{"", []string{"", caller}, caller},
		{"+34911", []string{caller}, "+34911"},
		{"Acme", []string{caller}, ""},
		{"", nil, ""},
	} {
		m := message()
		m.From = c.route
		if s, failed := callscript.Compose(m, c.callers...); s.From != c.want || (failed == nil) != (c.want != "") {
			t.Errorf("%+v: got %q, %v", c, s.From, failed)
		}
	}
}

func TestWhatIsNoCallIsRefused(t *testing.T) {
	for name, change := range map[string]func(*provider.Message){
		"no speech":            func(m *provider.Message) { m.Speech = nil },
		"no number":            func(m *provider.Message) { m.To = "bob@example.com" },
		"no code":              func(m *provider.Message) { m.Speech.Parts = m.Speech.Parts[:2] },
		"a key without words":  func(m *provider.Message) { m.Speech.PressKey = true },
		"digits that are none": func(m *provider.Message) { m.Speech.SendDigits = "1,2" },
		"a sermon": func(m *provider.Message) {
			for range 30 {
				m.Speech.Parts = append(m.Speech.Parts, m.Speech.Parts[:4]...)
			}
		},
	} {
		m := message()
		change(&m)
		if _, failed := callscript.Compose(m, caller); failed == nil || failed.Class != provider.BadRequest {
			t.Errorf("%s: got %v", name, failed)
		}
	}
}

func TestMarkup(t *testing.T) {
	m := callscript.Markup{Say: "Speak", Pause: "Wait", Attributes: ` language="es-ES"`}
	got := m.Lines([]callscript.Line{{Say: "A & B"}, {Pause: 499}, {Pause: 1500}, {Say: "4."}})
	if want := `<Speak language="es-ES">A &amp; B</Speak><Wait length="2"/><Speak language="es-ES">4.</Speak>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLanguages(t *testing.T) {
	tags := callscript.Tags{"nb": "no-NO", "ca": "", "es-MX": "es-MX"}
	for language, want := range map[string]string{
		"en": "en-US", "en-GB": "en-GB", "en-AU": "en-US", "nb": "no-NO", "ca": "", "es-MX": "es-MX", "es-AR": "es-ES", "xx": "", "": "",
	} {
		if got, ok := tags.Tag(language); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", language, got, ok)
		}
	}
	for _, language := range callscript.Languages() {
		if tag, ok := callscript.Tags(nil).Tag(language); !ok || !strings.Contains(tag, "-") {
			t.Errorf("%s: got %q, %v", language, tag, ok)
		}
	}
}

func TestAPageComesBackAsItWent(t *testing.T) {
	seal := callscript.NewSeal("the vendor's secret")
	m := message()
	m.Speech.PressKey, m.Speech.PressKeyPrompt = true, "Press any key."
	s, failed := callscript.Compose(m, caller)
	if failed != nil {
		t.Fatal(failed)
	}
	now := m.Deadline.Add(-time.Minute)
	sealed := seal.Close(s, *s.First.Then, m.Key)
	if sealed != seal.Close(s, *s.First.Then, m.Key) || sealed == seal.Close(s, *s.First.Then, "VL2:1") || sealed == seal.Close(s, s.First, m.Key) {
		t.Error("one page has two seals, or two have one")
	}
	if strings.Contains(sealed, m.Code) || strings.ContainsAny(sealed, "+/=&?%") {
		t.Errorf("%s shows the code, or is no text for a URL", sealed)
	}
	of, page, id, ok := seal.Open(sealed, true, now)
	if !ok || !reflect.DeepEqual(page, *s.First.Then) || id != m.Key || of.Language != "en" || !of.Ends.Equal(m.Deadline) {
		t.Errorf("got %+v %+v %q %v", of, page, id, ok)
	}
	if _, _, _, ok := seal.Open(sealed, false, now); ok {
		t.Error("the code was said without a key")
	}
	if _, _, _, ok := seal.Open(sealed, true, m.Deadline.Add(2*time.Second)); ok {
		t.Error("a dead code was said")
	}
	if _, _, _, ok := callscript.NewSeal("another").Open(sealed, true, now); ok {
		t.Error("another's seal was opened")
	}
	for i := range sealed {
		changed := []byte(sealed)
		changed[i] ^= 1
		if _, _, _, ok := seal.Open(string(changed), true, now); ok {
			t.Fatalf("opened with character %d changed", i)
		}
	}
	for _, wrong := range []string{"", "AAAA", strings.Repeat("A", 1<<20)} {
		if _, _, _, ok := seal.Open(wrong, true, now); ok {
			t.Errorf("%.20q was opened", wrong)
		}
	}
}

func TestWhereAPageIsAskedFor(t *testing.T) {
	for base, want := range map[string]string{
		"https://v.example/r":         "https://v.example/r?say=abc",
		"https://v.example/r?a=1&b=2": "https://v.example/r?a=1&b=2&say=abc",
	} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if got := callscript.At(u, "abc"); got != want || u.String() != base {
			t.Errorf("got %s, and the base is %s", got, u)
		}
	}
}

func TestAnswersOfTelephoneNetworks(t *testing.T) {
	for class, statuses := range map[provider.Class][]int{
		provider.BadRecipient: {603, 607, 608},
		provider.BadRequest:   {302, 401, 403, 404, 410, 484, 488, 604},
		provider.Temporary:    {408, 480, 486, 487, 500, 503, 600},
		provider.Throttled:    {429},
		provider.Unknown:      {0, 200, 999},
	} {
		for _, status := range statuses {
			if got := callscript.SIPClass(status, provider.Unknown); got != class {
				t.Errorf("%d: got %v, want %v", status, got, class)
			}
		}
	}
}

func FuzzSSMLIsXMLThatSaysTheWords(f *testing.F) {
	f.Add("Your A&B <code> is \"x\"'", 300)
	f.Add("\x00\xff]]>", -1)
	f.Fuzz(func(t *testing.T, words string, pause int) {
		text := callscript.SSML([]callscript.Line{{Say: words}, {Pause: pause}, {Say: "end"}})
		d := xml.NewDecoder(strings.NewReader(text))
		said, depth := "", 0
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				if depth++; token.Name.Local != "speak" && token.Name.Local != "break" {
					t.Fatalf("%q holds the element %s", text, token.Name.Local)
				}
			case xml.CharData:
				said += string(token)
			}
		}
		if depth > 2 || !strings.HasSuffix(said, "end") {
			t.Errorf("%q says %q", text, said)
		}
	})
}

func FuzzOpen(f *testing.F) {
	seal := callscript.NewSeal("secret")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, sealed string) {
		if _, _, _, ok := seal.Open(sealed, true, time.Unix(0, 0)); ok {
			t.Errorf("%q was opened", sealed)
		}
	})
}

func ExampleCompose() {
	script, _ := callscript.Compose(provider.Message{
		To: "+34612345678", Code: "482913",
		Speech: &provider.Speech{Language: "en", Parts: []provider.SpeechPart{{Say: "Your code is:"}, {Digits: "482"}, {PauseMS: 600}, {Digits: "913"}}},
	}, "+34910000000")
	fmt.Println(callscript.SSML(script.First.Say))
	// Output: <speak>Your code is: 4, 8, 2.<break time="600ms"/>9, 1, 3.</speak>
}
