// Package postmark is the other end of Postmark's API, for tests and for whoever tries mail without
// Postmark. It checks what Postmark checks of a mail: the token, both addresses, a body, the stream.
//
// What passes lies in an inbox. What else may become of a mail is for who calls Read (package vendors).
package postmark

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"sync"
)

// Server is Postmark for one server of an account. It is an http.Handler for POST /email and GET /server.
type Server struct {
	token string
	mux   *http.ServeMux

	mu    sync.Mutex
	inbox []Mail
}

// New makes a Server that knows one token and takes every mail that is right.
func New(token string) *Server {
	s := &Server{token: token, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /email", s.send)
	s.mux.HandleFunc("GET /server", s.server)
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Mail is a mail that was taken.
type Mail struct {
	ID                            string // MessageID, as the sender was told
	To, From, Subject, Text, HTML string
	Stream                        string
	Headers                       map[string]string
}

// Inbox lists the mails that were taken, in the order of their arrival.
func (s *Server) Inbox() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.inbox...)
}

// Refusal is an answer that takes no mail.
type Refusal struct {
	HTTP, Code int
	Words      string
}

// Write answers with the refusal.
func (r Refusal) Write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.HTTP)
	json.NewEncoder(w).Encode(map[string]any{"ErrorCode": r.Code, "Message": r.Words})
}

// maxBody is that of a mail without attachments.
const maxBody = 1 << 20

// Read understands a request, or says what is wrong with it.
func (s *Server) Read(r *http.Request) (Mail, *Refusal) {
	if r.Header.Get("X-Postmark-Server-Token") != s.token {
		return Mail{}, &Refusal{401, 10, "No Account or Server API tokens were supplied, or they do not exist."}
	}
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Accept") != "application/json" {
		return Mail{}, &Refusal{422, 409, "JSON is required."}
	}
	var body struct {
		From, To, Subject, TextBody, HtmlBody, MessageStream, TrackLinks string
		TrackOpens                                                       bool
		Headers                                                          []struct{ Name, Value string }
	}
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	bad := func(code int, words string) (Mail, *Refusal) { return Mail{}, &Refusal{422, code, words} }
	if err := d.Decode(&body); err != nil {
		return bad(402, "Invalid JSON: "+err.Error())
	}
	from, err := mail.ParseAddress(body.From)
	if err != nil {
		return bad(300, fmt.Sprintf("Invalid 'From' address: '%s'.", body.From))
	}
	to, err := mail.ParseAddress(body.To)
	switch {
	case err != nil || to.Address != body.To:
		return bad(300, fmt.Sprintf("Invalid 'To' address: '%s'.", body.To))
	case body.TextBody == "" && body.HtmlBody == "":
		return bad(300, "Provide either email TextBody or HtmlBody or both.")
	case body.MessageStream == "":
		return bad(1235, "The stream provided: '' does not exist on this server.")
	}
	m := Mail{To: to.Address, From: from.String(), Subject: body.Subject, Text: body.TextBody, HTML: body.HtmlBody,
		Stream: body.MessageStream, Headers: map[string]string{}}
	for _, h := range body.Headers {
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
	m.ID = fmt.Sprintf("b7bc2f4a-e38e-4336-af7d-%012d", len(s.inbox)+1)
	s.inbox = append(s.inbox, m)
	json.NewEncoder(w).Encode(map[string]any{
		"To": m.To, "SubmittedAt": "2031-01-02T03:00:00Z", "MessageID": m.ID, "ErrorCode": 0, "Message": "OK",
	})
}

func (s *Server) server(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Postmark-Server-Token") != s.token {
		Refusal{401, 10, "No Account or Server API tokens were supplied, or they do not exist."}.Write(w)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"ID": 1, "Name": "Codes", "DeliveryType": "Live"})
}
