package aws_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/aws"
)

// A stand-in for AWS takes the message. Requests are signed for the region and the service.
func Example() {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("X-Amz-Target"))
		fmt.Fprint(w, `{"MessageId":"6f0a1c5e-msg"}`)
	}))
	defer vendor.Close()
	p, err := aws.New(aws.Config{Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "the secret key", BaseURL: vendor.URL}, provider.Deps{})
	if err != nil {
		panic(err)
	}
	accepted, err := p.Send(context.Background(), provider.Message{Channel: "sms", To: "+34612345678", Text: "482913 is your Acme code"})
	fmt.Println(accepted.ID, err)
	// Output:
	// PinpointSMSVoiceV2.SendTextMessage
	// 6f0a1c5e-msg <nil>
}
