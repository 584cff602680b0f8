package snstopic_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/sns"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
	"github.com/verifyd/verifyd/provider/snstopic"
)

// listener is a topic and the region that it is in; now may be moved.
type listener struct {
	*snstopic.Topic
	region *sns.Region
	now    time.Time
}

func listen(t testing.TB, arn string) *listener {
	t.Helper()
	region, err := sns.New(httpfar.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{region: region, now: httpfar.Epoch}
	now := func() time.Time { return l.now }
	sender := httpsend.New(provider.Deps{HTTP: &http.Client{Transport: region}, Now: now}, time.Minute)
	if l.Topic, err = snstopic.New(arn, sender, now); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *listener) sign(t testing.TB, e sns.Envelope) string {
	t.Helper()
	body, err := l.region.Sign(e)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (l *listener) prove(body string) error {
	return l.Prove(httpfar.Post("/r", body), []byte(body))
}

func TestNotificationsAreProvedAndRead(t *testing.T) {
	l := listen(t, sns.Topic)
	subject := "Event"
	for _, change := range []func(*sns.Envelope){
		func(*sns.Envelope) {}, func(e *sns.Envelope) { e.SignatureVersion = "2" }, func(e *sns.Envelope) { e.Subject = &subject },
	} {
		e := sns.Notification("what happened")
		change(&e)
		body := l.sign(t, e)
		if err := l.prove(body); err != nil {
			t.Errorf("%+v: %v", e, err)
		}
		if text, ok, err := l.Message(t.Context(), []byte(body)); text != "what happened" || !ok || err != nil {
			t.Errorf("%+v: got %q, %v, %v", e, text, ok, err)
		}
	}
	if asked := l.region.Asked(); len(asked) != 1 {
		t.Errorf("the certificate was fetched %d times, want once", len(asked))
	}
}

func TestWhatIsNotProvedIsRefused(t *testing.T) {
	l := listen(t, sns.Topic)
	signed := l.sign(t, sns.Notification("delivered"))
	other := sns.Notification("delivered")
	other.TopicARN = "arn:aws:sns:eu-west-1:999999999999:evil"
	elsewhere := func(at string) string {
		e := sns.Notification("delivered")
		e.SigningCertURL = at
		return l.sign(t, e)
	}
	unversioned := sns.Notification("delivered")
	unversioned.SignatureVersion = "3"
	for name, body := range map[string]string{
		"another message":         strings.Replace(signed, "delivered", "refused", 1),
		"another's topic":         l.sign(t, other),
		"another version":         l.sign(t, unversioned),
		"no signature":            `{"Type":"Notification","TopicArn":"` + sns.Topic + `"}`,
		"no base64":               `{"Type":"Notification","TopicArn":"` + sns.Topic + `","Signature":"!"}`,
		"no JSON":                 `{`,
		"a certificate elsewhere": elsewhere("https://evil.example/SimpleNotificationService-0.pem"),
		"a host that begins so":   elsewhere("https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem"),
		"a bucket":                elsewhere("https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"),
		"plain http":              elsewhere("http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"),
		"another path":            elsewhere("https://sns.eu-west-1.amazonaws.com/evil.pem"),
		"a user":                  elsewhere("https://x@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"),
		"the API of SNS":          elsewhere("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem?Action=GetTopicAttributes"),
		"its API by a path":       elsewhere("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-/../?Action=GetTopicAttributes"),
		"a fragment":              elsewhere("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem#x"),
	} {
		if err := l.prove(body); !errors.Is(err, httpreport.ErrProof) {
			t.Errorf("%s: got %v, want ErrProof", name, err)
		}
	}
	for _, asked := range l.region.Asked() {
		if asked != sns.CertURL {
			t.Errorf("a caller made us ask for %s", asked)
		}
	}
	if err := l.prove(elsewhere("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-404.pem")); !errors.Is(err, httpreport.ErrLater) {
		t.Errorf("a certificate that is not there: got %v", err)
	}
	if err := listen(t, "").prove(signed); err == nil {
		t.Error("without topic_arn: it was believed")
	}
	l.now = httpfar.Epoch.Add(2 * time.Hour)
	if err := l.prove(signed); err == nil {
		t.Error("a certificate of the past: it was believed")
	}
}

func TestASubscriptionIsConfirmedForTheTopicAlone(t *testing.T) {
	l := listen(t, sns.Topic)
	message := func(e sns.Envelope) error {
		body := l.sign(t, e)
		if err := l.prove(body); err != nil {
			t.Fatal(err)
		}
		_, ok, err := l.Message(t.Context(), []byte(body))
		if ok {
			t.Errorf("%+v: it is no notification", e)
		}
		return err
	}
	e := sns.Confirmation()
	if err := message(e); err != nil || !slices.Contains(l.region.Asked(), e.SubscribeURL) {
		t.Errorf("got %v, and %v was asked for", err, l.region.Asked())
	}
	e.SubscribeURL = "https://evil.example/?Action=ConfirmSubscription"
	if err := message(e); err == nil || slices.Contains(l.region.Asked(), e.SubscribeURL) {
		t.Errorf("elsewhere: got %v, and %v was asked for", err, l.region.Asked())
	}
	e.SubscribeURL = "https://sns.eu-west-1.amazonaws.com/?Action=Other"
	if err := message(e); !errors.Is(err, httpreport.ErrLater) {
		t.Errorf("not confirmed: got %v", err)
	}
	e.Type = "UnsubscribeConfirmation"
	if err := message(e); err != nil {
		t.Errorf("the end of a subscription: got %v", err)
	}
}

func TestTheFormOfATopic(t *testing.T) {
	for arn, want := range map[string]bool{
		"": true, sns.Topic: true, "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a": true, "events": false, sns.Topic + "/x": false,
	} {
		if _, err := snstopic.New(arn, nil, nil); (err == nil) != want {
			t.Errorf("%q: got %v", arn, err)
		}
	}
}

func FuzzProve(f *testing.F) {
	l := listen(f, sns.Topic)
	f.Add(l.sign(f, sns.Notification("x")))
	f.Add(`{"Type":"Notification","Message":"{}","Subject":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		if l.prove(body) != nil {
			return
		}
		var e sns.Envelope
		if err := json.Unmarshal([]byte(body), &e); err != nil || e.TopicARN != sns.Topic || e.SigningCertURL != sns.CertURL {
			t.Errorf("proved is %s: %v", body, err)
		}
		l.Message(context.Background(), []byte(body))
	})
}

// A topic that is not ours says nothing, whoever signed it.
func ExampleTopic() {
	topic, err := snstopic.New("arn:aws:sns:eu-west-1:123456789012:events", httpsend.New(provider.Deps{}, time.Second), time.Now)
	if err != nil {
		panic(err)
	}
	body := `{"Type":"Notification","TopicArn":"arn:aws:sns:eu-west-1:999999999999:evil","Message":"{}","Signature":"AAAA"}`
	fmt.Println(topic.Prove(httpfar.Post("/reports/ses/x", body), []byte(body)))
	// Output: the proof is missing or not valid
}
