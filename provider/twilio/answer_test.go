package twilio

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
	return readAnswer(a, refusals, httpsend.New(provider.Deps{}, time.Minute).Refusal(a))
}

// The codes are those of https://www.twilio.com/docs/api/errors, one page for each.
func TestCodesAndTheirClasses(t *testing.T) {
	for class, codes := range map[provider.Class][]int{
		provider.BadRecipient: {21211, 21217, 21265, 21610, 21614},
		provider.BadRequest:   {20003, 21408, 21606, 21612, 21660, 30034, 63038, 99999},
		provider.Throttled:    {14107, 20429, 21611, 63017},
		provider.Unknown:      {20500},
	} {
		for _, code := range codes {
			_, e := read(400, fmt.Sprintf(`{"code":%d,"message":"words","more_info":"","status":400}`, code))
			if e == nil || e.Class != class || e.Code != fmt.Sprint(code) || e.Detail != "words" {
				t.Errorf("%d: got %v, want %v", code, e, class)
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
		{201, `{"sid":"SM1","status":"queued","num_segments":"2","price":null,"price_unit":"USD"}`, provider.Accepted{ID: "SM1", Parts: 2}, 0},
		{201, `{"sid":"SM1","num_segments":"0","price":"-0.00750","price_unit":"USD"}`,
			provider.Accepted{ID: "SM1", Price: provider.Price{Amount: "0.00750", Currency: "USD"}}, 0},
		{201, `<html>`, provider.Accepted{}, 0},
		{429, ``, provider.Accepted{}, provider.Throttled},
		{503, `<html>`, provider.Accepted{}, provider.Temporary},
		{502, ``, provider.Accepted{}, provider.Unknown},
		{401, `{"code":20003}`, provider.Accepted{}, provider.BadRequest},
		{302, ``, provider.Accepted{}, provider.BadRequest},
	} {
		got, e := read(c.status, c.body)
		if c.class == 0 && (e != nil || got != c.want) || c.class != 0 && (e == nil || e.Class != c.class) {
			t.Errorf("%d %s: got %+v, %v, want %+v, %v", c.status, c.body, got, e, c.want, c.class)
		}
	}
}

func TestTheManualsTableIsTrue(t *testing.T) {
	httpfar.CheckManual(t, "../../docs/providers/twilio.md", 2, len(refusals), func(code string) provider.Class { return refusals.Of(code, 0) })
	httpfar.CheckManual(t, "../../docs/providers/twilio.md", 3, len(failures), func(code string) provider.Class { return failures.Of(code, 0) })
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(201, `{"sid":"SM1","num_segments":"1","price":"-0.1","price_unit":"USD"}`)
	f.Add(400, `{"code":21211,"message":"words"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		accepted, e := read(status, body)
		if (e == nil) != (status/100 == 2) || e != nil && e.Code == "" || len(accepted.ID) > 255 || accepted.Parts < 0 {
			t.Errorf("%d %q: %+v, %v", status, body, accepted, e)
		}
	})
}
