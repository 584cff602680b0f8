package sigv4_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider/sigv4"
)

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

// The suite of AWS for Signature Version 4, cases get-vanilla and post-vanilla.
func TestTheSignaturesOfTheTestSuite(t *testing.T) {
	for method, signature := range map[string]string{
		"GET":  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"POST": "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	} {
		h := http.Header{}
		u, err := url.Parse("https://example.amazonaws.com/")
		if err != nil {
			t.Fatal(err)
		}
		sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret}.Sign(method, u, h, nil,
			sigv4.Service{Region: "us-east-1", Name: "service"}, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
			"SignedHeaders=host;x-amz-date, Signature=" + signature
		if got := h.Get("Authorization"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", method, got, want)
		}
	}
}

func TestAJoinedPathIsSignedAsItIsSent(t *testing.T) {
	signature := func(u *url.URL) string {
		h := http.Header{}
		sigv4.Credentials{AccessKeyID: "a", SecretAccessKey: secret}.Sign("GET", u, h, nil, sigv4.Service{Region: "eu-west-1", Name: "ses"}, time.Unix(0, 0))
		return h.Get("Authorization")
	}
	bare, err := url.Parse("https://email.eu-west-1.amazonaws.com")
	if err != nil {
		t.Fatal(err)
	}
	joined := bare.JoinPath("v2", "email", "account")
	sent, err := url.Parse(joined.String())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := signature(joined), signature(sent); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCredentialsDoNotShowThemselves(t *testing.T) {
	c := sigv4.Credentials{AccessKeyID: "a", SecretAccessKey: secret, SessionToken: "b"}
	if shown := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(shown, secret) {
		t.Errorf("the secret shows itself: %s", shown)
	}
}

func ExampleCredentials_Sign() {
	u, _ := url.Parse("https://email.eu-west-1.amazonaws.com/v2/email/account")
	h := http.Header{}
	sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}.Sign(http.MethodGet, u, h, nil,
		sigv4.Service{Region: "eu-west-1", Name: "ses"}, time.Date(2031, 1, 2, 3, 0, 0, 0, time.UTC))
	fmt.Println(h.Get("X-Amz-Date"))
	// Output: 20310102T030000Z
}
