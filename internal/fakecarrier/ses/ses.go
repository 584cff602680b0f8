// Package ses is the other end of Amazon SES, version 2 of its API, for tests and for whoever tries mail
// without AWS. It checks what SES checks of a request: who signed it, when and over what; and of a mail the
// addresses, that the sender is verified, and a body.
//
// What passes lies in an inbox. What else may become of a mail is for who calls Read (package vendors).
// Events come by SNS: see the package sns.
package ses

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/sigv4"
)

// Server is SES in eu-west-1 for one account. It is an http.Handler for POST /v2/email/outbound-emails
// and GET /v2/email/account.
type Server struct {
	// Sandbox has GET /v2/email/account say that the account may write to verified addresses alone, and
	// Paused that it may not send at all.
	Sandbox, Paused bool

	keyID, secret string
	domain        string
	now           func() time.Time
	mux           *http.ServeMux

	mu    sync.Mutex
	inbox []Mail
}

// New makes a Server that knows one access key, and one verified domain of senders.
func New(keyID, secret, domain string, now func() time.Time) *Server {
	s := &Server{keyID: keyID, secret: secret, domain: domain, now: now, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /v2/email/outbound-emails", s.send)
	s.mux.HandleFunc("GET /v2/email/account", s.account)
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Mail is a mail that was taken.
type Mail struct {
	ID                            string // MessageId, as the sender was told
	To, From, Subject, Text, HTML string
	ConfigurationSet              string
	Headers                       map[string]string
}

// Inbox lists the mails that were taken, in the order of their arrival.
func (s *Server) Inbox() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.inbox...)
}

// Refusal is an exception.
type Refusal struct {
	HTTP        int
	Name, Words string
}

// Write answers with the exception, as an API of REST and JSON does.
func (r Refusal) Write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if r.Name != "" {
		w.Header().Set("X-Amzn-ErrorType", r.Name)
	}
	w.WriteHeader(r.HTTP)
	json.NewEncoder(w).Encode(map[string]string{"message": r.Words})
}

// authenticate says what is wrong with the signature.
func (s *Server) authenticate(r *http.Request, body []byte) *Refusal {
	signature, err := sigv4.Parse(r.Header)
	switch {
	case errors.Is(err, sigv4.ErrMissing):
		return &Refusal{403, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	case err != nil:
		return &Refusal{403, "InvalidSignatureException", err.Error()}
	case signature.Region != "eu-west-1" || signature.Service != "ses":
		return &Refusal{403, "InvalidSignatureException", "Credential should be scoped to a valid region and service."}
	case signature.KeyID != s.keyID:
		return &Refusal{403, "UnrecognizedClientException", "The security token included in the request is invalid."}
	case signature.At.Sub(s.now()).Abs() > 5*time.Minute:
		return &Refusal{403, "InvalidSignatureException", "Signature expired: " + signature.At.Format(time.RFC3339)}
	case !signature.SignedBy(s.secret, r, body):
		return &Refusal{403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."}
	}
	return nil
}

// maxBody is that of a mail without attachments.
const maxBody = 1 << 20

// Read understands a request, or says what is wrong with it.
func (s *Server) Read(r *http.Request) (Mail, *Refusal) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return Mail{}, &Refusal{400, "BadRequestException", "the body broke off"}
	}
	if refusal := s.authenticate(r, raw); refusal != nil {
		return Mail{}, refusal
	}
	type text struct{ Data, Charset string }
	var body struct {
		FromEmailAddress, ConfigurationSetName string
		Destination                            struct{ ToAddresses []string }
		Content                                struct {
			Simple struct {
				Subject text
				Body    struct {
					Text text
					HTML text `json:"Html"`
				}
				Headers []struct{ Name, Value string }
			}
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return Mail{}, &Refusal{400, "SerializationException", err.Error()}
	}
	simple := body.Content.Simple
	from, err := mail.ParseAddress(body.FromEmailAddress)
	switch {
	case err != nil || len(body.Destination.ToAddresses) != 1:
		return Mail{}, &Refusal{400, "BadRequestException", "Missing final '@domain'"}
	case !strings.HasSuffix(from.Address, "@"+s.domain):
		return Mail{}, &Refusal{400, "MessageRejected", "Email address is not verified."}
	case simple.Subject.Data == "" || simple.Body.Text.Data == "" || simple.Subject.Charset != "UTF-8" || simple.Body.Text.Charset != "UTF-8":
		return Mail{}, &Refusal{400, "BadRequestException", "the content has no subject or no text in UTF-8"}
	}
	m := Mail{To: body.Destination.ToAddresses[0], From: from.String(), Subject: simple.Subject.Data, Text: simple.Body.Text.Data,
		HTML: simple.Body.HTML.Data, ConfigurationSet: body.ConfigurationSetName, Headers: map[string]string{}}
	for _, h := range simple.Headers {
		m.Headers[h.Name] = h.Value
	}
	return m, nil
}

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	m, refusal := s.Read(r)
	if refusal != nil {
		refusal.Write(w)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.ID = fmt.Sprintf("0102018e-%06d", len(s.inbox)+1)
	s.inbox = append(s.inbox, m)
	json.NewEncoder(w).Encode(map[string]string{"MessageId": m.ID})
}

func (s *Server) account(w http.ResponseWriter, r *http.Request) {
	if refusal := s.authenticate(r, nil); refusal != nil {
		refusal.Write(w)
		return
	}
	json.NewEncoder(w).Encode(map[string]bool{"ProductionAccessEnabled": !s.Sandbox, "SendingEnabled": !s.Paused})
}
