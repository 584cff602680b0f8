// Package rcs is the other end of RCS for Business: Google's token endpoint, the messages and
// capabilities of telephones, and the webhook that it calls, for tests and for whoever tries RCS without
// Google. It checks what Google checks: who signed the assertion and for what; that the agent is the
// account's; that a message has an identifier of the right form, a time to live that is allowed, and
// nothing in it that is unknown.
//
// What becomes of a message is the telephone's affair (see Handset): it has no RCS, it is switched off
// and the message waits until somebody takes it back or its time is over, or it shows it at once. Events
// wait until Deliver calls the webhook with them.
//
// It is not for cards, suggestions and files, which verifyd does not send, nor for what people write.
package rcs

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/internal/fakecarrier/googleoauth"
)

// Server is Google's side for one agent. It is an http.Handler for the paths /token and /v1/phones/.
type Server struct {
	// Fates are what becomes of requests by the telephone that they are about, before the telephone has a
	// say: sends, and revocations alike.
	Fates fate.Book[Refusal]

	oauth *googleoauth.Server
	agent string
	token string // of the webhook
	now   func() time.Time
	mux   *http.ServeMux

	mu       sync.Mutex
	handsets map[string]Handset // by number
	messages []*Message
	events   []event
	minted   int // events so far
}

// Options are what a Server is made of.
type Options struct {
	Agent       string           // "acme_agent" where it is empty
	ClientToken string           // that the webhook was set up with; "SJENCPGJESMGUFPY" where it is empty
	Key         *rsa.PrivateKey  // the service account's; made where it is nil
	Now         func() time.Time // time.Now where it is nil
}

// Handset is what a telephone is like. The zero value is switched on and has RCS.
type Handset struct {
	// NotRCS is one that RCS does not reach.
	NotRCS bool
	// Off is one that is switched off: messages for it wait.
	Off bool
	// Keeps is one whose messages cannot be taken back any more: they are on their way to it.
	Keeps bool
}

// Message is one that was taken.
type Message struct {
	ID      string // the sender's
	To      string // E.164
	Text    string
	TTL     time.Duration // 0 for one without
	Traffic string        // messageTrafficType
	At      time.Time
	State   State
}

// State is where a message is.
type State string

// The states.
const (
	Waiting   State = "waiting"
	Delivered State = "delivered"
	Revoked   State = "revoked" // at the sender's wish, or because its time was over
)

// New makes a Server that has taken nothing, and whose telephones are all reachable.
func New(o Options) (*Server, error) {
	s := &Server{agent: o.Agent, token: o.ClientToken, now: o.Now, handsets: map[string]Handset{}}
	if s.agent == "" {
		s.agent = "acme_agent"
	}
	if s.token == "" {
		s.token = "SJENCPGJESMGUFPY"
	}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.oauth, err = googleoauth.New("acme-rcs", "rbm", o.Key, s.now); err != nil {
		return nil, err
	}
	s.mux = http.NewServeMux()
	s.mux.Handle("POST /token", s.oauth)
	s.mux.HandleFunc("GET /v1/phones/{phone}/capabilities", s.authorized(s.capabilities))
	s.mux.HandleFunc("POST /v1/phones/{phone}/agentMessages", s.authorized(s.create))
	s.mux.HandleFunc("DELETE /v1/phones/{phone}/agentMessages/{id}", s.authorized(s.delete))
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// ServiceAccount is the key file of the service account, as Google's console hands it out, for a
// Server that is reached under base, such as "http://127.0.0.1:8080".
func (s *Server) ServiceAccount(base string) ([]byte, error) { return s.oauth.ServiceAccount(base) }

// Grants is how many access tokens were given.
func (s *Server) Grants() int { return s.oauth.Grants() }

// RevokeTokens makes every access token that was given worthless.
func (s *Server) RevokeTokens() { s.oauth.Revoke() }

// Messages lists those that were taken, in the order of their arrival, wherever they are now.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Message
	for _, m := range s.messages {
		all = append(all, *m)
	}
	return all
}

// Set says what the telephone of a number is like from now on. One that is switched on is given what
// waits for it.
func (s *Server) Set(number string, h Handset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handsets[number] = h
	for _, m := range s.messages {
		if m.To == number && m.State == Waiting && !h.Off {
			s.deliver(m)
		}
	}
}

// Read has a person read every message that arrived at a number.
func (s *Server) Read(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.To == number && m.State == Delivered {
			s.happened(userEvent("READ", m))
		}
	}
}

// Lapse takes back the messages whose time to live is over, or fails to, and says so in events. Google
// does it by itself; a test says when.
func (s *Server) Lapse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.State != Waiting || m.TTL == 0 || s.now().Before(m.At.Add(m.TTL)) {
			continue
		}
		if m.TTL = 0; s.handsets[m.To].Keeps {
			s.happened(serverEvent("TTL_EXPIRATION_REVOKE_FAILED", m))
			continue
		}
		m.State = Revoked
		s.happened(serverEvent("TTL_EXPIRATION_REVOKED", m))
	}
}

func (s *Server) deliver(m *Message) {
	m.State = Delivered
	s.happened(userEvent("DELIVERED", m))
}

// Refusal is an answer in the form of google.rpc.Status.
type Refusal struct {
	HTTP       int           // the status: 404
	Status     string        // the canonical code: "NOT_FOUND"
	Words      string        // the message, for people
	RetryAfter time.Duration // the header of that name, in whole seconds; 0 is none
}

// What Google answers most.
var (
	NotFound      = Refusal{HTTP: 404, Status: "NOT_FOUND", Words: "Requested entity was not found."}
	OtherAgent    = Refusal{HTTP: 403, Status: "PERMISSION_DENIED", Words: "The caller does not have permission"}
	QuotaExceeded = Refusal{HTTP: 429, Status: "RESOURCE_EXHAUSTED", Words: "Resource has been exhausted (e.g. check quota)."}
	Unavailable   = Refusal{HTTP: 503, Status: "UNAVAILABLE", Words: "The service is currently unavailable."}
	Internal      = Refusal{HTTP: 500, Status: "INTERNAL", Words: "Internal error encountered."}

	unauthenticated = Refusal{HTTP: 401, Status: "UNAUTHENTICATED", Words: "Request had invalid authentication credentials. " +
		"Expected OAuth 2 access token, login cookie or other valid authentication credential."}
	noScope = Refusal{HTTP: 403, Status: "PERMISSION_DENIED", Words: "Request had insufficient authentication scopes."}
)

func invalid(words string) *Refusal {
	return &Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", Words: words}
}

// Write answers with the refusal.
func (r Refusal) Write(w http.ResponseWriter) {
	if r.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(r.RetryAfter.Seconds())))
	}
	answer(w, r.HTTP, map[string]any{"error": map[string]any{"code": r.HTTP, "message": r.Words, "status": r.Status}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

const (
	scope = "https://www.googleapis.com/auth/rcsbusinessmessaging"
	// maxBody is far beyond the largest message, and keeps a mistake from filling the memory.
	maxBody = 1 << 20
)

// authorized lets through who may ask.
func (s *Server) authorized(do func(r *http.Request, body []byte) (any, *Refusal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			return // the sender gave up, or sends without an end
		}
		refusal := s.allowed(r)
		if refusal != nil {
			refusal.Write(w)
			return
		}
		said, refusal := do(r, body)
		if refusal != nil {
			refusal.Write(w)
			return
		}
		answer(w, http.StatusOK, said)
	}
}

// allowed asks in Google's order: who asks, whether he may, and then what for.
func (s *Server) allowed(r *http.Request) *Refusal {
	g, ok := s.oauth.Bearer(r.Header.Get("Authorization"))
	switch {
	case !ok:
		return &unauthenticated
	case !g.Has(scope):
		return &noScope
	case r.URL.Query().Get("agentId") == "":
		return invalid("agentId is required.")
	case r.URL.Query().Get("agentId") != s.agent:
		return &OtherAgent
	case !number.MatchString(r.PathValue("phone")):
		return invalid("The phone number is not in E.164 format.")
	}
	return nil
}

// capabilities answers phones.getCapabilities.
func (s *Server) capabilities(r *http.Request, _ []byte) (any, *Refusal) {
	if !uuid.MatchString(r.URL.Query().Get("requestId")) {
		return nil, invalid("requestId must be a UUID.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handsets[r.PathValue("phone")].NotRCS {
		return nil, &NotFound
	}
	return map[string]any{"features": []string{"RICHCARD_STANDALONE", "ACTION_DIAL"}}, nil
}

// create answers phones.agentMessages.create. An identifier that was used before is ignored.
func (s *Server) create(r *http.Request, body []byte) (any, *Refusal) {
	m, refusal := s.read(r, body)
	if refusal == nil {
		refusal = s.Fates.Meet(r.Context(), m.To).Refuse
	}
	if refusal != nil {
		return nil, refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handsets[m.To].NotRCS {
		return nil, &NotFound
	}
	m.State = Waiting
	if s.put(&m) && !s.handsets[m.To].Off {
		s.deliver(&m)
	}
	return created(m), nil
}

// read understands the request of a message.
func (s *Server) read(r *http.Request, body []byte) (Message, *Refusal) {
	id := r.URL.Query().Get("messageId")
	if !uuid.MatchString(id) {
		return Message{}, invalid("messageId must be a UUID.")
	}
	m, refusal := readMessage(body, s.now())
	m.ID, m.To, m.At = id, r.PathValue("phone"), s.now()
	return m, refusal
}

// keep is how many messages are remembered; when there are more the oldest tenth is forgotten.
const keep = 10_000

// put keeps a message, unless its identifier was used before.
func (s *Server) put(m *Message) bool {
	if slices.ContainsFunc(s.messages, func(before *Message) bool { return before.ID == m.ID }) {
		return false
	}
	if len(s.messages) >= keep {
		s.messages = slices.Delete(s.messages, 0, keep/10)
	}
	s.messages = append(s.messages, m)
	return true
}

// created is the answer for a message that was taken.
func created(m Message) map[string]any {
	return map[string]any{
		"name":     "phones/" + m.To + "/agentMessages/" + m.ID,
		"sendTime": m.At.UTC().Format(time.RFC3339Nano),
	}
}

// delete answers phones.agentMessages.delete: 200 with nothing in it when the message is taken back, and
// 404 when it has been delivered or was never there.
func (s *Server) delete(r *http.Request, body []byte) (any, *Refusal) {
	if len(body) > 0 {
		return nil, invalid("The request body must be empty.")
	}
	if refusal := s.Fates.Meet(r.Context(), r.PathValue("phone")).Refuse; refusal != nil {
		return nil, refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.messages, func(m *Message) bool {
		return m.ID == r.PathValue("id") && m.To == r.PathValue("phone")
	})
	if i < 0 || s.messages[i].State != Waiting || s.handsets[s.messages[i].To].Keeps {
		return nil, &NotFound
	}
	s.messages[i].State = Revoked
	return struct{}{}, nil
}
