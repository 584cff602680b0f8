package fcm_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	fake "github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/fcm"
)

// A stand-in for Google takes the notification; without base_url it would go to Firebase.
func Example() {
	google, err := fake.New(fake.Options{})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(google)
	defer server.Close()
	keyFile, err := google.ServiceAccount(server.URL)
	if err != nil {
		panic(err)
	}

	p, err := fcm.New(fcm.Config{Credentials: string(keyFile), BaseURL: server.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	_, err = p.Send(context.Background(), provider.Message{
		Channel: "push",
		To:      "fGb0kQz1Rk2:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx_Ag9MLm4Yh0IUyoKeu8nZyxRnPTkpAoQsSCHY8pMJYyT7gE5a2EFAQzZzz1hT3PjUWk",
		Push: &provider.Push{
			Platform: "fcm",
			Data:     map[string]string{"type": "verify_push_challenge", "message": "Log in to Acme?"},
		},
		Deadline: time.Now().Add(5 * time.Minute),
	})
	fmt.Println(err, google.Inbox()[0].Data["message"])
	// Output: <nil> Log in to Acme?
}
