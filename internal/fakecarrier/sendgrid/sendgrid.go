// Package sendgrid is the other end of SendGrid's v3 API, for tests and for whoever tries mail without
// SendGrid. It checks what SendGrid checks of a mail: the key, who it is for, that both bodies stand in
// their order; and it signs its events as SendGrid does.
//
// What passes lies in an inbox. What else may become of a mail is for who calls Read (package vendors).
package sendgrid

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"sync"
	"time"
)

// Server is SendGrid for one account. It is an http.Handler for POST /v3/mail/send and GET /v3/scopes.
type Server struct {
	// Scopes are what the key may do, "mail.send" unless it is set.
	Scopes []string

	apiKey string
	key    *ecdsa.PrivateKey
	mux    *http.ServeMux

	mu    sync.Mutex
	inbox []Mail
}

// New makes a Server that knows one API key and takes every mail that is right.
func New(apiKey string) (*Server, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the event webhook: %w", err)
	}
	s := &Server{apiKey: apiKey, key: key, Scopes: []string{"mail.send"}, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /v3/mail/send", s.send)
	s.mux.HandleFunc("GET /v3/scopes", s.scopes)
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Mail is a mail that was taken.
type Mail struct {
	ID                  string // X-Message-Id, as the sender was told
	To, From, FromName  string
	Subject, Text, HTML string
	Headers, CustomArgs map[string]string
}

// Inbox lists the mails that were taken, in the order of their arrival.
func (s *Server) Inbox() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.inbox...)
}

// Refusal is an answer that takes no mail.
type Refusal struct {
	HTTP         int
	Field, Words string
	Reset        time.Time // X-RateLimit-Reset, none where it is zero
}

// Write answers with the refusal.
func (r Refusal) Write(w http.ResponseWriter) {
	if !r.Reset.IsZero() {
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(r.Reset.Unix()))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.HTTP)
	var field any // null where it is about none
	if r.Field != "" {
		field = r.Field
	}
	json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]any{{"message": r.Words, "field": field, "help": nil}}})
}

// maxBody is that of a mail without attachments.
const maxBody = 1 << 20

// Read understands a request, or says what is wrong with it.
func (s *Server) Read(r *http.Request) (Mail, *Refusal) {
	if r.Header.Get("Authorization") != "Bearer "+s.apiKey {
		return Mail{}, &Refusal{HTTP: 401, Words: "The provided authorization grant is invalid, expired, or revoked"}
	}
	type address struct{ Email, Name string }
	var body struct {
		Personalizations []struct{ To []address }
		From             address
		Subject          string
		Content          []struct{ Type, Value string }
		Headers          map[string]string
		CustomArgs       map[string]string          `json:"custom_args"`
		Tracking         map[string]json.RawMessage `json:"tracking_settings"`
	}
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	bad := func(field, words string) (Mail, *Refusal) {
		return Mail{}, &Refusal{HTTP: 400, Field: field, Words: words}
	}
	if err := d.Decode(&body); err != nil {
		return bad("", "Bad Request: "+err.Error())
	}
	switch {
	case len(body.Personalizations) != 1 || len(body.Personalizations[0].To) != 1:
		return bad("personalizations", "The personalizations field is required and must have at least one personalization.")
	case !valid(body.Personalizations[0].To[0].Email):
		return bad("personalizations.0.to.0.email", "Does not contain a valid address.")
	case !valid(body.From.Email):
		return bad("from.email", "The from email does not contain a valid address.")
	case body.Subject == "":
		return bad("subject", "The subject is required.")
	case len(body.Content) == 0 || body.Content[0].Type != "text/plain":
		return bad("content", "If present, text/plain and text/html may only be provided once, and text/plain must be first.")
	}
	m := Mail{
		To: body.Personalizations[0].To[0].Email, From: body.From.Email, FromName: body.From.Name, Subject: body.Subject,
		Text: body.Content[0].Value, Headers: body.Headers, CustomArgs: body.CustomArgs,
	}
	if len(body.Content) > 1 {
		m.HTML = body.Content[1].Value
	}
	return m, nil
}

func valid(address string) bool {
	a, err := mail.ParseAddress(address)
	return err == nil && a.Address == address
}

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	m, refusal := s.Read(r)
	if refusal != nil {
		refusal.Write(w)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.ID = fmt.Sprintf("14c5d75ce93-%06d", len(s.inbox)+1)
	s.inbox = append(s.inbox, m)
	w.Header().Set("X-Message-Id", m.ID)
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) scopes(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+s.apiKey {
		Refusal{HTTP: 401, Words: "authorization required"}.Write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string][]string{"scopes": s.Scopes})
}

// PublicKey is the verification key of the event webhook, as the settings show it.
func (s *Server) PublicKey() string {
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		panic(err) // a key on P-256 has a form
	}
	return base64.StdEncoding.EncodeToString(der)
}

// Events is a call of the event webhook: a signed batch. Event makes its members.
func (s *Server) Events(url string, at time.Time, events ...map[string]any) (*http.Request, error) {
	body, err := json.Marshal(events)
	if err != nil {
		return nil, err
	}
	timestamp := fmt.Sprint(at.Unix())
	sum := sha256.Sum256(append([]byte(timestamp), body...))
	signature, err := ecdsa.SignASN1(rand.Reader, s.key, sum[:])
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Twilio-Email-Event-Webhook-Timestamp", timestamp)
	r.Header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
	return r, nil
}

// Event is what became of a mail: "delivered", "bounce", "dropped". More are fields of its kind, as
// names and values in turn.
func (m Mail) Event(kind string, at time.Time, more ...any) map[string]any {
	e := map[string]any{
		"event": kind, "email": m.To, "timestamp": at.Unix(), "sg_event_id": "event", "sg_message_id": m.ID + ".filter0001.16648.0",
	}
	for name, value := range m.CustomArgs {
		e[name] = value
	}
	for i := 0; i+1 < len(more); i += 2 {
		e[fmt.Sprint(more[i])] = more[i+1]
	}
	return e
}
