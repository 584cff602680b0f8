package inbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/verifyd/verifyd/internal/inbox"
	"github.com/verifyd/verifyd/provider"
)

// A test starts a verification and asks for the code. It need not know when the message arrives.
func Example() {
	in := inbox.New(inbox.Options{})
	server := httptest.NewServer(in.Handler())
	defer server.Close()

	// What verifyd does when somebody asks for a code:
	go func() {
		_, _ = in.Send(context.Background(), provider.Message{
			Channel: "sms", To: "+34612345678", Code: "482913", Text: "Your code is 482913",
		})
	}()

	answer, err := http.Get(server.URL + "/dev/inbox?wait=10s&to=" + url.QueryEscape("+34612345678"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	var got struct {
		Messages []struct{ Channel, Code string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got.Messages[0].Channel, got.Messages[0].Code)
	// Output: sms 482913
}

// In the same process a test needs no HTTP.
func ExampleInbox_Wait() {
	in := inbox.New(inbox.Options{})
	go func() {
		_, _ = in.Send(context.Background(), provider.Message{Channel: "email", To: "Ines@example.com", Code: "160877"})
	}()
	messages, err := in.Wait(context.Background(), inbox.Query{To: "ines@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(messages[0].Code)
	// Output: 160877
}
