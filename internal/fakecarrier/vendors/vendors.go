// Package vendors is the other end of every provider that speaks HTTP: Twilio, Vonage, Infobip, Telnyx,
// Plivo, Sinch, AWS, Africa's Talking, MSG91, WhatsApp's Cloud API, RCS for Business, SendGrid, Postmark,
// Amazon SES, Jasmin's API for the provider "http", and a gateway of your own for "httpapi". Each checks who
// asks, and for what, as the real one does, refuses in its own words, and reports in its own way, signed with
// its own signature. Those who make calls have a person answer, who listens and presses keys.
//
// An API is one vendor: how it reads, answers and reports. A Server serves them all below one address and
// does with every message what the desk says.
//
// They were written from the vendors' documentation, as the providers were, and not from the providers: a
// field that both sides misread in the same way would pass. The vendors' own libraries are the referees
// of that (tests/providers).
package vendors

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
)

// API is one vendor.
type API struct {
	// Name is the type of the provider that speaks it, and the first part of its paths.
	Name string
	// Table is what a table [providers.NAME] needs beside its type: keys and values in turn. Its base is
	// the URL that the API is served under.
	Table func(base string) [][2]string
	// Prefix is what the vendor's identifiers begin with.
	Prefix string
	// Webhook says that reports go to a URL that the vendor is told once, in its console, and not with
	// every message.
	Webhook bool
	// Beside, if it is set, gives what serves a request that is about no message, such as one for an access
	// token, and nil for the others.
	Beside func(r *http.Request) http.Handler
	// Read checks a request, whose body is given apart.
	Read func(r *http.Request, body []byte) (Sent, *Refusal)
	// Again, if it is set, is told of a message that is taken, and whether the person gets it. It is true
	// for one that was taken before, which the vendor answers and otherwise ignores.
	Again func(s Sent, arrives bool) bool
	// Accept answers that a message was taken.
	Accept func(w http.ResponseWriter, s Sent, id string)
	// Refuse answers that it was not.
	Refuse func(w http.ResponseWriter, r Refusal)
	// Refusals are what the vendor answers for each kind of refusal. Where one is missing its API has no
	// such answer, and says it in a report.
	Refusals map[desk.Answer]Refusal
	// Talk, if it is set, makes this an API of calls: it is one that somebody has answered, from the first
	// word to the last.
	Talk func(l *Line) error
	// Also are the vendor's other APIs, below the same name: that for calls. Their Takes say which requests
	// are for them.
	Also  []API
	Takes func(r *http.Request) bool
	// Call is the request by which the vendor reports; nil where it never does. A state for which it has no
	// report gives nil.
	Call func(r Report) (*http.Request, error)
	// Subscribe, if it is set, is what a webhook is asked before it is used, and the answer that the vendor
	// wants.
	Subscribe func(webhook string) (ask *http.Request, want string, err error)
}

// hasWebhook says whether the vendor is told a URL once, for all of its APIs or for one.
func (a API) hasWebhook() bool {
	return a.Webhook || slices.ContainsFunc(a.Also, func(other API) bool { return other.Webhook })
}

// Sent is a message as it was sent.
type Sent struct {
	To, From, Text string
	// Key is the sender's own name for it, where the vendor gives that back.
	Key string
	// ID is its identifier, where the sender chooses that.
	ID string
	// Script is what is said in a call, in the vendor's form.
	Script string
	// ReportTo is the URL for its reports, "" for that of the account.
	ReportTo string
}

// Refusal is an answer that takes no message.
type Refusal struct {
	Status int    // of HTTP
	Code   string // the vendor's
	Words  string
	// Content says that the message is at fault, and not who sends it or how.
	Content bool
}

// Report is what is reported of a message.
type Report struct {
	Sent
	ID    string
	State desk.State
	At    time.Time
	Nonce string
}

var (
	e164   = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	digits = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)
)

// strict reads JSON, in which nothing unknown may be.
func strict(body []byte, into any) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}

// readAll is the body of a request that was read before, and is kept in it.
func readAll(r *http.Request) ([]byte, error) { return io.ReadAll(io.LimitReader(r.Body, maxBody)) }

// form reads a form.
func form(r *http.Request, body []byte) (url.Values, bool) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, false
	}
	values, err := url.ParseQuery(string(body))
	return values, err == nil
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, numbers and maps of them always encode
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}

// object is a JSON object that is written.
type object = map[string]any

// post is a call with a body.
func post(to, contentType string, body []byte) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the URL for reports: %w", err)
	}
	r.Header.Set("Content-Type", contentType)
	return r, nil
}

func postForm(to string, values url.Values) (*http.Request, error) {
	return post(to, "application/x-www-form-urlencoded", []byte(values.Encode()))
}

func postJSON(to string, v any) (*http.Request, []byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, nil, err
	}
	r, err := post(to, "application/json", body)
	return r, body, err
}

// mac is the HMAC of the parts, one after the other.
func mac(newHash func() hash.Hash, key string, parts ...string) []byte {
	m := hmac.New(newHash, []byte(key))
	for _, part := range parts {
		m.Write([]byte(part))
	}
	return m.Sum(nil)
}

// pick is the word for a state.
func pick[T any](s desk.State, sent, delivered, failed, noSuch T) T {
	switch s {
	case desk.Delivered:
		return delivered
	case desk.Failed:
		return failed
	case desk.NoSuch:
		return noSuch
	default:
		return sent
	}
}
