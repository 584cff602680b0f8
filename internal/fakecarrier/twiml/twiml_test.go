package twiml_test

import (
	"reflect"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/twiml"
)

func TestWhatIsHeard(t *testing.T) {
	const page = `<?xml version="1.0"?><Response><Say language="en-US">A&amp;B:</Say><Pause length="1"/><Say language="en-US">4, 8, 2.</Say>` +
		`<Redirect method="POST">https://v.example/r?a=1&amp;b=2</Redirect></Response>`
	want := twiml.Heard{Heard: "A&B: 482 ", Language: []string{"en-US"}, Redirect: "https://v.example/r?a=1&b=2"}
	if got, err := twiml.Listen(page); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	got, err := twiml.ListenSSML(`<speak>Your code is: 4, 8, 2.<break time="600ms"/>9, 1, 3.</speak>`)
	if err != nil || got != "Your code is 482 913 " {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatAVendorWouldNotRead(t *testing.T) {
	for _, page := range []string{
		`<Response><Say>x</Response>`, `<Response><Shout>x</Shout></Response>`, `<Say>x</Say>`, `<Response><Say volume="11">x</Say></Response>`, `<Response>x</Response>`, `x & y`,
	} {
		if h, err := twiml.Listen(page); err == nil {
			t.Errorf("%s: got %+v", page, h)
		}
	}
	for _, text := range []string{`<speak><mark/></speak>`, `<p>x</p>`, `<speak>`, `<speak>a & b</speak>`} {
		if h, err := twiml.ListenSSML(text); err == nil {
			t.Errorf("%s: got %q", text, h)
		}
	}
}

func TestUnspell(t *testing.T) {
	for text, want := range map[string]string{"4, 8, 2.": "482", "A, 1.": "A1", "7.": "7", "Yes, no.": "Yes, no.", "": ""} {
		if got := twiml.Unspell(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzListen(f *testing.F) {
	f.Add(`<Response><Say>x</Say></Response>`)
	f.Fuzz(func(_ *testing.T, page string) {
		twiml.Listen(page)
		twiml.ListenSSML(page)
	})
}
