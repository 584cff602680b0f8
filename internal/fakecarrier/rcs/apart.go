package rcs

import (
	"encoding/json"
	"net/http"
	"strings"
)

// What is here is for who decides by himself what becomes of messages, and when the webhook is called: he
// has Judge read a request, Put remember what was taken, and Event make a call of the webhook.

// Creates says that a request is to create a message.
func Creates(r *http.Request) bool {
	_, ok := phoneOf(r)
	return ok && r.Method == http.MethodPost
}

func phoneOf(r *http.Request) (string, bool) {
	rest, below := strings.CutPrefix(r.URL.Path, "/v1/phones/")
	phone, create := strings.CutSuffix(rest, "/agentMessages")
	return phone, below && create
}

// Judge reads a request that creates a message, and takes nothing.
func (s *Server) Judge(r *http.Request, body []byte) (Message, *Refusal) {
	phone, _ := phoneOf(r)
	r.SetPathValue("phone", phone)
	if refusal := s.allowed(r); refusal != nil {
		return Message{}, refusal
	}
	return s.read(r, body)
}

// Put remembers a message that was taken, in the state that it has. It is false for one whose identifier
// was used before: Google ignores that.
func (s *Server) Put(m Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.At = s.now()
	return s.put(&m)
}

// WriteCreated answers that a message was taken.
func (s *Server) WriteCreated(w http.ResponseWriter, m Message) {
	m.At = s.now()
	answer(w, http.StatusOK, created(m))
}

// Event is the body of a call of the webhook that tells kind of a message, "DELIVERED" or
// "TTL_EXPIRATION_REVOKED", and the value of X-Goog-Signature.
func (s *Server) Event(kind string, m Message) (body []byte, signature string) {
	e := userEvent(kind, &m)
	if strings.HasPrefix(kind, "TTL_") {
		e = serverEvent(kind, &m)
	}
	s.mu.Lock()
	s.date(&e)
	s.mu.Unlock()
	data, _ := json.Marshal(e) // texts always encode
	return Sign(s.token, data)
}

// SetUpCall is the body of the call by which the console makes sure of a webhook, and the answer to it that
// it wants (see SetUp).
func (s *Server) SetUpCall() (body []byte, want string) { return s.setUp() }

// ClientToken is that of the webhook.
func (s *Server) ClientToken() string { return s.token }

// Agent is the identifier of the agent.
func (s *Server) Agent() string { return s.agent }
