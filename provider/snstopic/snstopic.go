// Package snstopic takes what an SNS topic of AWS posts, for the providers whose events come by one.
//
// A message is proved by the certificate of its region, which is fetched once and from SNS alone, and
// by its topic: anybody can have a topic, and have its messages signed by AWS. The subscription of the
// configured topic is confirmed, and no other.
package snstopic

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// envelope is what an SNS topic posts, https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html.
type envelope struct {
	Type             string
	MessageID        string `json:"MessageId"`
	Token            string
	TopicARN         string `json:"TopicArn"`
	Subject          *string
	Message          string
	SubscribeURL     string
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// canonical is the text that is signed, https://docs.aws.amazon.com/sns/latest/dg/
// sns-verify-signature-of-message.html.
func (e envelope) canonical() string {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", e.Message)
	add("MessageId", e.MessageID)
	if e.Type == "Notification" {
		if e.Subject != nil {
			add("Subject", *e.Subject)
		}
	} else {
		add("SubscribeURL", e.SubscribeURL)
	}
	add("Timestamp", e.Timestamp)
	if e.Type != "Notification" {
		add("Token", e.Token)
	}
	add("TopicArn", e.TopicARN)
	add("Type", e.Type)
	return b.String()
}

// Topic is a topic that is believed. It is safe for concurrent use.
type Topic struct {
	arn    string
	sender *httpsend.Sender
	keys   *signingKeys
}

var arnShape = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

// New makes the topic of the setting topic_arn; where it is "", nothing is believed. It calls nobody;
// later it asks for certificates, and confirms the subscription, by sender.
func New(arn string, sender *httpsend.Sender, now func() time.Time) (*Topic, error) {
	if arn != "" && !arnShape.MatchString(arn) {
		return nil, errors.New("topic_arn is not of the form arn:aws:sns:REGION:ACCOUNT:NAME")
	}
	return &Topic{arn: arn, sender: sender, keys: &signingKeys{sender: sender, now: now}}, nil
}

// Prove is httpreport.Handler.Prove. It checks the topic first: anybody can have one, and have its
// messages signed by AWS.
func (t *Topic) Prove(r *http.Request, body []byte) error {
	if t.arn == "" {
		return errors.New("topic_arn is not set")
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil || !httpreport.EqualSecret(e.TopicARN, t.arn) {
		return httpreport.ErrProof
	}
	signature, err := base64.StdEncoding.DecodeString(e.Signature)
	if err != nil {
		return httpreport.ErrProof
	}
	key, err := t.keys.get(r.Context(), e.SigningCertURL)
	if err != nil {
		return err
	}
	text := []byte(e.canonical())
	switch e.SignatureVersion {
	case "1":
		sum := sha1.Sum(text)
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256(text)
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	default:
		err = httpreport.ErrProof
	}
	if err != nil {
		return httpreport.ErrProof
	}
	return nil
}

// snsHost is where certificates and confirmations are, and nowhere else.
const snsHost = `^https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?/`

// A certificate is a file that SNS has, and its URL has no query: on the same host is the API, of which
// anybody with an account has calls answered (Action=GetTopicAttributes, by a signed URL) that repeat
// what he wrote, a certificate of his own too.
var (
	certShape    = regexp.MustCompile(snsHost + `SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem$`)
	confirmShape = regexp.MustCompile(snsHost + `[^#@]*$`)
)

// signingKeys are those of the certificates that were seen. There is one for each region, and a new
// one every year or so.
type signingKeys struct {
	sender *httpsend.Sender
	now    func() time.Time

	mu   sync.Mutex
	seen map[string]*x509.Certificate
}

// maxKeys is far more than AWS uses; a caller cannot make us keep more.
const maxKeys = 16

func (k *signingKeys) get(ctx context.Context, certURL string) (*rsa.PublicKey, error) {
	if !certShape.MatchString(certURL) {
		return nil, httpreport.ErrProof
	}
	k.mu.Lock()
	defer k.mu.Unlock() // two calls at once ask AWS once
	cert := k.seen[certURL]
	if cert == nil {
		var err error
		if cert, err = k.fetch(ctx, certURL); err != nil {
			return nil, err
		}
		if k.seen == nil || len(k.seen) >= maxKeys {
			k.seen = map[string]*x509.Certificate{}
		}
		k.seen[certURL] = cert
	}
	if now := k.now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, errors.New("the certificate of the signature is not valid now")
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the certificate of the signature has no RSA key")
	}
	return key, nil
}

// fetch trusts the certificate because of the TLS connection that it came by.
func (k *signingKeys) fetch(ctx context.Context, certURL string) (*x509.Certificate, error) {
	answer, err := k.sender.Do(ctx, httpsend.Request{Method: http.MethodGet, URL: certURL}, provider.Message{})
	if err != nil {
		return nil, fmt.Errorf("%w: fetch the certificate of the signature: %w", httpreport.ErrLater, err)
	}
	block, _ := pem.Decode(answer.Body)
	if !answer.OK() || block == nil {
		return nil, fmt.Errorf("%w: fetch the certificate of the signature: HTTP %d", httpreport.ErrLater, answer.Status)
	}
	return x509.ParseCertificate(block.Bytes)
}

// Message is what the topic was told, of a call that was proved; ok is false where there is none. A
// subscription is confirmed on the way.
func (t *Topic) Message(ctx context.Context, body []byte) (text string, ok bool, err error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return "", false, errors.New("the body is not that of an SNS message")
	}
	switch e.Type {
	case "SubscriptionConfirmation":
		return "", false, t.confirm(ctx, e)
	case "Notification":
		return e.Message, true, nil
	}
	return "", false, nil
}

// confirm answers AWS's question whether the topic may call us. The topic was proved to be ours.
func (t *Topic) confirm(ctx context.Context, e envelope) error {
	if !confirmShape.MatchString(e.SubscribeURL) {
		return errors.New("the URL of the confirmation is not of SNS")
	}
	answer, err := t.sender.Do(ctx, httpsend.Request{Method: http.MethodGet, URL: e.SubscribeURL}, provider.Message{})
	if err != nil {
		return fmt.Errorf("%w: confirm the subscription: %w", httpreport.ErrLater, err)
	}
	if !answer.OK() {
		return fmt.Errorf("%w: confirm the subscription: HTTP %d", httpreport.ErrLater, answer.Status)
	}
	return nil
}
