package vendors

import "testing"

func TestAnNCCOIsOneOrRefused(t *testing.T) {
	for text, want := range map[string]int{
		`[{"action":"talk","text":"<speak>x</speak>","language":"en-US"}]`:                                                     1,
		`[{"action":"input","type":["dtmf"],"dtmf":{"maxDigits":1,"timeOut":5},"eventUrl":["http://x"],"eventMethod":"POST"}]`: 1,
		`[]`: 0, `{}`: -1, `[{"action":"dance"}]`: -1, `[{"action":"talk","text":"x"}]`: -1, `[{"action":"input","type":["speech"]}]`: -1,
		`[{"action":"notify","eventUrl":["http://x"],"eventMethod":"POST"}]`: -1,
	} {
		if all, err := readNCCO([]byte(text)); err == nil && len(all) != want || (err != nil) != (want < 0) {
			t.Errorf("%s: %d actions, %v", text, len(all), err)
		}
	}
}

func FuzzNCCO(f *testing.F) {
	f.Add(`[{"action":"talk","text":"<speak>x</speak>","language":"en-US"}]`)
	f.Add(`[{"action":"notify","payload":{"call":"heard"},"eventUrl":["http://x"],"eventMethod":"POST"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := readNCCO([]byte(text))
		for _, a := range all {
			if err == nil && a.Action != "talk" && len(a.EventURL) != 1 {
				t.Errorf("%q asks nobody", text)
			}
		}
	})
}
