package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

const page = "# acme: for tests\n\n```toml\n" + `{"providers": {"a": {"type": "acme", "url": "https://x"}}, "routes": {"sms": ["a"]}}` + "\n```\n\n" +
	"| key | |\n|---|---|\n| `url`, `token` | required |\n| `mode` | one of `x` |\n\n" +
	"| code | class |\n|---|---|\n| `17` | `bad_recipient` |\n| `1` | nothing |\n\n```\nplain\n```\n"

// complain collects what is said of a page.
func complain(t *testing.T, text string, ask func(m Manual)) string {
	r := &recorder{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ask(Manual{r, "acme", text})
	}()
	<-done
	return strings.Join(r.failures, "\n")
}

func TestAManualIsRead(t *testing.T) {
	m := Manual{t, "acme", page}
	if got, want := m.Rows("| code | class |"), [][]string{{"`17`", "`bad_recipient`"}, {"`1`", "nothing"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("rows: got %q, want %q", got, want)
	}
	if got := m.Blocks("", 1); got[0] != "plain\n" {
		t.Errorf("blocks: got %q", got)
	}
	if got := Quoted("`a`, `b c` and d"); !reflect.DeepEqual(got, []string{"a", "b c"}) {
		t.Errorf("quoted: got %q", got)
	}
	if !m.Says("for tests") || m.Says("for ever") || m.Class("`bad_recipient`") != provider.BadRecipient {
		t.Error("the page is misread")
	}
}

func TestWhatIsNotTrueInAManualIsFoundOut(t *testing.T) {
	type config struct {
		URL   string `json:"url"`
		Token string `json:"token"`
		Other string `json:"other"`
	}
	for want, ask := range map[string]func(m Manual){
		"the manual does not name other\nthe manual names mode, and there is no such key": func(m Manual) { m.NamesKeys(config{}) },
		`the manual has no table "| none |"`:                                              func(m Manual) { m.Rows("| none |") },
		`the manual shows 1 pieces of "toml", want 2`:                                     func(m Manual) { m.Blocks("toml", 2) },
		`"nothing" is no class`:                                                           func(m Manual) { m.Class("nothing") },
	} {
		if got := complain(t, page, ask); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestATrialSends(t *testing.T) {
	var sent []string
	trial := Trial{
		Unmarshal: json.Unmarshal, Pieces: 1, Channel: "sms",
		Divert: func(table map[string]any) { table["url"] = "http://far" },
		Build: func(config json.RawMessage, _ provider.Deps) (provider.Provider, error) {
			return sendFunc(func(_ context.Context, m provider.Message) (provider.Accepted, error) {
				sent = append(sent, string(config)+" "+m.Channel)
				return provider.Accepted{}, nil
			}), nil
		},
	}
	if got := complain(t, page, func(m Manual) { m.Try(trial) }); got != "" || len(sent) != 1 || sent[0] != `{"url":"http://far"} sms` {
		t.Errorf("got %q, sent %q", got, sent)
	}
	other := strings.Replace(page, `["a"]`, `["b"]`, 1)
	if got := complain(t, other, func(m Manual) { m.Try(trial) }); !strings.Contains(got, "the routes are map[sms:[b]]") {
		t.Errorf("no route: got %q", got)
	}
	beside := trial
	beside.Beside = "gateway"
	two := strings.Replace(page, `{"a": {`, `{"b": {"type": "gateway"}, "a": {`, 1)
	if got := complain(t, two, func(m Manual) { m.Try(beside) }); got != "" || len(sent) != 3 {
		t.Errorf("one of another type beside it: got %q, sent %q", got, sent)
	}
	beside.Beside = "acme"
	if got := complain(t, page, func(m Manual) { m.Try(beside) }); !strings.Contains(got, "no provider of type acme") {
		t.Errorf("none of its own: got %q", got)
	}
	trial.Build = func(json.RawMessage, provider.Deps) (provider.Provider, error) {
		return nil, errors.New("token is missing")
	}
	if got := complain(t, page, func(m Manual) { m.Try(trial) }); !strings.Contains(got, "token is missing") {
		t.Errorf("not built: got %q", got)
	}
	trial.Build = func(json.RawMessage, provider.Deps) (provider.Provider, error) {
		return sendFunc(func(context.Context, provider.Message) (provider.Accepted, error) {
			return provider.Accepted{}, errors.New("refused")
		}), nil
	}
	if got := complain(t, page, func(m Manual) { m.Try(trial) }); !strings.Contains(got, "does not send: refused") {
		t.Errorf("not sent: got %q", got)
	}
}
