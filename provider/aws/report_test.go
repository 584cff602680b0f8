package aws

import (
	"net/http"
	"slices"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/sns"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

const delivered = `{"eventType":"TEXT_DELIVERED","eventTimestamp":1925089200000,"messageId":"a","mcc":"214","mnc":"07","totalMessagePrice":0.00645,"totalCarrierFee":0.00256}`

// What a topic may say, and what not, is the matter of snstopic.
func TestNotificationsAreProvedAndRead(t *testing.T) {
	region, err := sns.New(httpfar.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	var got httpfar.Reports
	deps := got.Deps()
	deps.HTTP = &http.Client{Transport: region}
	p, err := New(Config{Region: "eu-west-1", AccessKeyID: testKeyID, SecretAccessKey: testSecret, TopicARN: sns.Topic}, deps)
	if err != nil {
		t.Fatal(err)
	}
	call := func(e sns.Envelope) string {
		body, err := region.Sign(e)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	want := []provider.Report{{ID: "a", State: provider.Delivered, At: httpfar.Epoch, MCC: "214", MNC: "07", Price: provider.Price{Amount: "0.00901000", Currency: "USD"}}}
	if status, recorded := got.Call(p, httpfar.Post("/r", call(sns.Notification(delivered)))); status != 204 || !slices.Equal(recorded, want) {
		t.Errorf("got %d %+v, want %+v", status, recorded, want)
	}
	if status, _ := got.Call(p, httpfar.Post("/r", call(sns.Confirmation()))); status != 204 {
		t.Errorf("a confirmation: got %d", status)
	}
	if status, _ := got.Call(p, httpfar.Post("/r", call(sns.Notification("words")))); status != 400 {
		t.Errorf("words: got %d", status)
	}
	other := sns.Notification(delivered)
	other.TopicARN += "2"
	if status, _ := got.Call(p, httpfar.Post("/r", call(other))); status != 403 {
		t.Errorf("another topic: got %d", status)
	}
}

// https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
func TestEventsAndTheirClasses(t *testing.T) {
	for class, events := range map[provider.Class][]string{
		provider.BadRecipient: {"TEXT_INVALID"},
		provider.BadRequest:   {"TEXT_BLOCKED", "TEXT_SPAM", "TEXT_CARRIER_BLOCKED", "TEXT_INVALID_MESSAGE", "TEXT_PROTECT_BLOCKED"},
		provider.Temporary:    {"TEXT_UNREACHABLE", "TEXT_CARRIER_UNREACHABLE", "TEXT_TTL_EXPIRED", "TEXT_UNKNOWN"},
	} {
		for _, event := range events {
			got, err := readEvent([]byte(`{"eventType":"` + event + `","messageId":"a"}`))
			want := []provider.Report{{ID: "a", State: provider.Failed, Class: class, Code: event}}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %+v, %v", event, got, err)
			}
		}
	}
	for _, text := range []string{`{"eventType":"TEXT_SUCCESSFUL","messageId":"a"}`, `{"eventType":"TEXT_QUEUED","messageId":"a"}`, `{"eventType":"TEXT_DELIVERED"}`, `{}`} {
		if got, err := readEvent([]byte(text)); err != nil || got != nil {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	if _, err := readEvent([]byte("words")); err == nil {
		t.Error("words were read")
	}
}

func FuzzReports(f *testing.F) {
	f.Add(delivered)
	f.Add(`{"Type":"Notification","Message":"{}","Subject":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		reports, _ := readEvent([]byte(body))
		httpfar.CheckReports(t, body, reports)
	})
}
