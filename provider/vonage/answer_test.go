package vonage

import (
	"fmt"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

func read(status int, body string) (provider.Accepted, *provider.Error) {
	a := httpsend.Answer{Status: status, Body: []byte(body)}
	p := &Provider{settings: settings{currency: "EUR"}}
	return p.readAnswer(a, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

// https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms
func TestStatusesAndTheirClasses(t *testing.T) {
	for class, statuses := range map[provider.Class][]int{
		provider.BadRecipient: {7, 33},
		provider.BadRequest:   {2, 3, 4, 6, 8, 9, 11, 12, 14, 15, 22, 23, 29, 999},
		provider.Throttled:    {1, 10},
		provider.Temporary:    {5},
	} {
		for _, status := range statuses {
			_, e := read(200, fmt.Sprintf(`{"message-count":"1","messages":[{"status":"%d","error-text":"words"}]}`, status))
			if e == nil || e.Class != class || e.Code != fmt.Sprint(status) || e.Detail != "words" {
				t.Errorf("%d: got %v, want %v", status, e, class)
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   provider.Accepted
		class  provider.Class
	}{
		{200, `{"message-count":"1","messages":[{"to":"34612345678","message-id":"0A0000000123ABCD1","status":"0","remaining-balance":"3.14","message-price":"0.03330000","network":"21407"}]}`,
			provider.Accepted{ID: "0A0000000123ABCD1", Parts: 1, Price: provider.Price{Amount: "0.03330000", Currency: "EUR"}}, 0},
		{200, `{"messages":[{"message-id":"a","status":"0","message-price":"0.0333"},{"message-id":"b","status":"0","message-price":"0.0333"}]}`,
			provider.Accepted{ID: "a", Parts: 2, Price: provider.Price{Amount: "0.06660000", Currency: "EUR"}}, 0},
		{200, `{"messages":[{"message-id":"a","status":0,"message-price":"free"}]}`, provider.Accepted{ID: "a", Parts: 1}, 0},
		{200, `{"messages":[{"message-id":"a","status":"0"},{"status":"1"}]}`, provider.Accepted{}, provider.Unknown},
		{200, `{"messages":[{"status":"1"},{"message-id":"a","status":"0"}]}`, provider.Accepted{}, provider.Unknown},
		{200, `{"messages":[]}`, provider.Accepted{}, provider.Unknown},
		{200, `<html>`, provider.Accepted{}, provider.Unknown},
		{200, ``, provider.Accepted{}, provider.Unknown},
		{401, `{"messages":[{"status":"0"}]}`, provider.Accepted{}, provider.BadRequest},
		{429, ``, provider.Accepted{}, provider.Throttled},
		{503, ``, provider.Accepted{}, provider.Temporary},
		{500, ``, provider.Accepted{}, provider.Unknown},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got != c.want) || c.class != 0 && (e == nil || e.Class != c.class) {
			t.Errorf("%d %s: got %+v, %v, want %+v, %v", c.status, c.body, got, e, c.want, c.class)
		}
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/vonage.md", 2, len(refusals), func(code string) provider.Class { return refusals.Of(code, 0) })
	httpfar.CheckManual(t, "../../docs/providers/vonage.md", 3, len(failures), func(code string) provider.Class { return failures.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(200, `{"messages":[{"message-id":"a","status":"0","message-price":"0.1"}]}`)
	f.Add(200, `{"messages":[{"status":6,"error-text":"words"}]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if e == nil && (status/100 != 2 || accepted.Parts < 1) || e != nil && e.Code == "" {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}
