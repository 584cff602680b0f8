package apns_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/apns"
)

// A stand-in for Apple takes the notification; without base_url it would go to Apple.
func Example() {
	apple, err := fake.New(fake.Options{})
	if err != nil {
		panic(err)
	}
	server := httptest.NewUnstartedServer(apple)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	key, err := apple.Key()
	if err != nil {
		panic(err)
	}

	p, err := apns.New(apns.Config{
		Key: string(key), KeyID: apple.KeyID(), TeamID: apple.Team(), BaseURL: server.URL,
	}, provider.Deps{HTTP: server.Client()})
	if err != nil {
		panic(err)
	}
	defer p.Close()
	_, err = p.Send(context.Background(), provider.Message{
		Channel: "push",
		To:      "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0",
		Push: &provider.Push{
			Platform: "apn",
			App:      "com.example.app",
			Body:     "Log in to Acme?",
			Data:     map[string]string{"type": "verify_push_challenge"},
		},
		Deadline: time.Now().Add(5 * time.Minute),
	})
	fmt.Println(err, string(apple.Inbox()[0].Payload))
	// Output: <nil> {"aps":{"alert":"Log in to Acme?","category":"verify_push_challenge","sound":"default"},"type":"verify_push_challenge"}
}
