// Command firebase sends a challenge to each handset that is named in its arguments, as an application
// would that used Firebase's own library, and says for each what the library makes of the answer.
//
//	FIREBASE_KEY=… FIREBASE_URL=http://127.0.0.1:8080 firebase TOKEN...
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "firebase:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, tokens []string) error {
	app, err := firebase.NewApp(ctx, nil,
		option.WithCredentialsJSON([]byte(os.Getenv("FIREBASE_KEY"))),
		option.WithEndpoint(os.Getenv("FIREBASE_URL")+"/v1"))
	if err != nil {
		return err
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		return err
	}
	ttl := 300 * time.Second
	for _, token := range tokens {
		name, err := client.Send(ctx, &messaging.Message{
			Token: token,
			Data: map[string]string{
				"type": "verify_push_challenge", "message": "Log in to Acme?",
				"challenge_sid": "YC0123456789abcdef0123456789abcdef", "factor_sid": "YF0123456789abcdef0123456789abcdef",
			},
			Android: &messaging.AndroidConfig{Priority: "high", TTL: &ttl, CollapseKey: "YC0123456789abcdef0123456789abcdef"},
		})
		fmt.Println(outcome(name, err))
	}
	return nil
}

func outcome(name string, err error) string {
	switch {
	case err == nil:
		return "taken " + name
	case messaging.IsUnregistered(err):
		return "unregistered"
	case messaging.IsSenderIDMismatch(err):
		return "sender id mismatch"
	case messaging.IsQuotaExceeded(err):
		return "quota exceeded"
	case messaging.IsThirdPartyAuthError(err):
		return "third party auth error"
	case messaging.IsInvalidArgument(err):
		return "invalid argument"
	}
	return "error: " + err.Error()
}
