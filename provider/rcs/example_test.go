package rcs_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/rcs"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/rcs"
)

// A stand-in for Google takes the message for a telephone that is switched off, and gives it back; without
// BaseURL the message would go to Google, by the agent's Region.
func Example() {
	google, err := fake.New(fake.Options{Agent: "acme_agent"})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(google)
	defer server.Close()
	keyFile, err := google.ServiceAccount(server.URL)
	if err != nil {
		panic(err)
	}
	google.Set("+34612345678", fake.Handset{Off: true})

	p, err := rcs.New(rcs.Config{Credentials: string(keyFile), AgentID: "acme_agent", BaseURL: server.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	m := provider.Message{
		Channel: "rcs", Key: "VL0123456789abcdef0123456789abcdef:1", To: "+34612345678",
		Text: "123456 is your Acme verification code", Deadline: time.Now().Add(10 * time.Minute),
	}
	accepted, err := p.Send(context.Background(), m)
	fmt.Println(err, google.Messages()[0].State)
	err = p.Revoke(context.Background(), provider.Sent{ID: accepted.ID, Key: m.Key, Channel: m.Channel, To: m.To})
	fmt.Println(err, google.Messages()[0].State)
	// Output:
	// <nil> waiting
	// <nil> revoked
}
