// Package sns is the other end of AWS's notification service, for the tests of what listens to a topic:
// it signs messages as one region does, and serves its certificate and confirmations without a network.
//
// A certificate of AWS cannot be had, so this one is signed by itself; who trusts it, trusts the host
// that it came from.
package sns

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// Topic and CertURL are the topic of messages that Notification makes, and where their certificate is.
const (
	Topic   = "arn:aws:sns:eu-west-1:123456789012:events"
	CertURL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)

// Envelope is what a topic posts, https://docs.aws.amazon.com/sns/latest/dg/
// sns-message-and-json-formats.html. Empty fields are left out.
type Envelope struct {
	Type             string
	MessageID        string  `json:"MessageId"`
	Token            string  `json:",omitempty"`
	TopicARN         string  `json:"TopicArn"`
	Subject          *string `json:",omitempty"`
	Message          string
	SubscribeURL     string `json:",omitempty"`
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// Notification is a message of Topic, to be signed.
func Notification(message string) Envelope {
	return Envelope{Type: "Notification", MessageID: "m1", TopicARN: Topic, Message: message,
		Timestamp: "2031-01-02T03:00:00.000Z", SignatureVersion: "1", SigningCertURL: CertURL}
}

// Confirmation asks whether Topic may call, to be signed.
func Confirmation() Envelope {
	return Envelope{Type: "SubscriptionConfirmation", MessageID: "m2", Token: "tok", TopicARN: Topic, Message: "You have chosen to subscribe.",
		SubscribeURL: "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=tok",
		Timestamp:    "2031-01-02T03:00:00.000Z", SignatureVersion: "1", SigningCertURL: CertURL}
}

// text is what is signed: names and values in the order of the names, of those that a type has.
func (e Envelope) text() []byte {
	fields := []struct{ name, value string }{{"Message", e.Message}, {"MessageId", e.MessageID}}
	if e.Type == "Notification" {
		if e.Subject != nil {
			fields = append(fields, struct{ name, value string }{"Subject", *e.Subject})
		}
		fields = append(fields, struct{ name, value string }{"Timestamp", e.Timestamp})
	} else {
		fields = append(fields, []struct{ name, value string }{
			{"SubscribeURL", e.SubscribeURL}, {"Timestamp", e.Timestamp}, {"Token", e.Token}}...)
	}
	fields = append(fields, []struct{ name, value string }{{"TopicArn", e.TopicARN}, {"Type", e.Type}}...)
	var b bytes.Buffer
	for _, f := range fields {
		fmt.Fprintf(&b, "%s\n%s\n", f.name, f.value)
	}
	return b.Bytes()
}

// Region signs for the topics of one region. It is a http.RoundTripper, which answers for
// sns.eu-west-1.amazonaws.com and finds nothing elsewhere.
type Region struct {
	key  *rsa.PrivateKey
	cert []byte

	mu    sync.Mutex
	asked []string
}

// New makes a region whose certificate is good for an hour around now.
func New(now time.Time) (*Region, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &Region{key: key, cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}, nil
}

// RoundTrip serves the certificate, and takes confirmations.
func (s *Region) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.String())
	answer := &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: r}
	switch {
	case r.URL.String() == CertURL:
		answer.StatusCode, answer.Body = http.StatusOK, io.NopCloser(bytes.NewReader(s.cert))
	case r.URL.Query().Get("Action") == "ConfirmSubscription":
		answer.StatusCode = http.StatusOK
	}
	return answer, nil
}

// Asked lists the URLs that were asked for.
func (s *Region) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// Sign is the body of a call: the envelope with its signature, by RSA with SHA-1 in version 1 and with
// SHA-256 in version 2.
func (s *Region) Sign(e Envelope) (string, error) {
	sum1, sum2 := sha1.Sum(e.text()), sha256.Sum256(e.text())
	sum, by := sum1[:], crypto.SHA1
	if e.SignatureVersion == "2" {
		sum, by = sum2[:], crypto.SHA256
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, by, sum)
	if err != nil {
		return "", err
	}
	e.Signature = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(e)
	return string(body), err
}
