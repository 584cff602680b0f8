// Package fcm is the other end of FCM HTTP v1: Google's token endpoint and Firebase's messages:send,
// for tests and for whoever tries push without Google. It checks what they check: who signed the
// assertion, for whom, for what and for how long; that the access token is one of those it gave, not
// expired, good for messaging and for this project; and every field of the message.
//
// What passes lies in an inbox. Refusals, delays and losses beyond that are set by hand, for one
// handset or for all (see fate).
//
// It is not for topics, conditions and notification messages, which verifyd does not send. A topic is
// known in a trial (validate_only), which is how verifyd asks whether it may send at all.
package fcm

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/internal/fakecarrier/googleoauth"
)

// Server is Google's side for one Firebase project with one service account. It is an http.Handler
// for the paths /token and /v1/projects/{project}/messages:send.
type Server struct {
	// Fates are what becomes of messages by the token of their handset.
	Fates fate.Book[Refusal]

	oauth   *googleoauth.Server
	project string
	now     func() time.Time
	taken   func(Message)
	mux     *http.ServeMux

	mu    sync.Mutex
	inbox []Message
}

// Options are what a Server is made of.
type Options struct {
	Project string           // "acme-verify" where it is empty
	Key     *rsa.PrivateKey  // the service account's; made where it is nil
	Now     func() time.Time // time.Now where it is nil
	Taken   func(Message)    // told of each message that is taken, if it is set
}

// New makes a Server with an empty inbox, which takes every message that is right.
func New(o Options) (*Server, error) {
	s := &Server{project: o.Project, now: o.Now, taken: o.Taken}
	if s.project == "" {
		s.project = "acme-verify"
	}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.oauth, err = googleoauth.New(s.project, "push", o.Key, s.now); err != nil {
		return nil, err
	}
	s.mux = http.NewServeMux()
	s.mux.Handle("POST /token", s.oauth)
	s.mux.HandleFunc("POST /v1/projects/{project}/{method}", s.send)
	return s, nil
}

// ServiceAccount is the key file of the service account, as Google's console hands it out, for a
// Server that is reached under base, such as "http://127.0.0.1:8080".
func (s *Server) ServiceAccount(base string) ([]byte, error) { return s.oauth.ServiceAccount(base) }

// Grants is how many access tokens were given.
func (s *Server) Grants() int { return s.oauth.Grants() }

// Revoke makes every access token that was given worthless.
func (s *Server) Revoke() { s.oauth.Revoke() }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Message is a message that was taken.
type Message struct {
	ID    string // its name, as the sender was told
	Token string // of the handset
	Data  map[string]string
	// Priority, TTL and CollapseKey are those of the block for Android, as they were sent.
	Priority    string
	TTL         string
	CollapseKey string
	At          time.Time
	Raw         []byte // the whole body of the request
	Lost        bool   // on the way to the handset

	trial bool // validate_only: judged and not taken
}

// Inbox lists the messages that were taken, in the order of their arrival.
func (s *Server) Inbox() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.inbox...)
}

// Refusal is an answer of messages:send that takes no message.
type Refusal struct {
	HTTP   int    // the status: 404
	Status string // the canonical code: "NOT_FOUND"
	// FCM is the errorCode of a detail of type FcmError, such as "UNREGISTERED"; without it there is
	// no such detail.
	FCM string
	// Field is the path of a fieldViolation in a detail of type BadRequest; without it there is none.
	Field      string
	Words      string        // the message, for people
	RetryAfter time.Duration // the header of that name, in whole seconds; 0 is none
}

// What messages:send answers most (firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode).
var (
	Unregistered   = Refusal{HTTP: 404, Status: "NOT_FOUND", FCM: "UNREGISTERED", Words: "Requested entity was not found."}
	InvalidToken   = Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", FCM: "INVALID_ARGUMENT", Words: "The registration token is not a valid FCM registration token"}
	OtherSender    = Refusal{HTTP: 403, Status: "PERMISSION_DENIED", FCM: "SENDER_ID_MISMATCH", Words: "SenderId mismatch"}
	QuotaExceeded  = Refusal{HTTP: 429, Status: "RESOURCE_EXHAUSTED", FCM: "QUOTA_EXCEEDED", Words: "Quota exceeded for the device."}
	Unavailable    = Refusal{HTTP: 503, Status: "UNAVAILABLE", FCM: "UNAVAILABLE", Words: "The service is currently unavailable."}
	Internal       = Refusal{HTTP: 500, Status: "INTERNAL", FCM: "INTERNAL", Words: "Internal error encountered."}
	ThirdPartyAuth = Refusal{HTTP: 401, Status: "UNAUTHENTICATED", FCM: "THIRD_PARTY_AUTH_ERROR", Words: "Auth error from APNS or Web Push Service"}

	unauthenticated = Refusal{HTTP: 401, Status: "UNAUTHENTICATED", Words: "Request had invalid authentication credentials. " +
		"Expected OAuth 2 access token, login cookie or other valid authentication credential."}
	noScope      = Refusal{HTTP: 403, Status: "PERMISSION_DENIED", Words: "Request had insufficient authentication scopes."}
	otherProject = Refusal{HTTP: 403, Status: "PERMISSION_DENIED", Words: "Permission 'cloudmessaging.messages.create' denied on resource."}
	tooLarge     = Refusal{HTTP: 400, Status: "INVALID_ARGUMENT", FCM: "INVALID_ARGUMENT", Words: "Android message is too big"}
)

func (r Refusal) write(w http.ResponseWriter) {
	type detail map[string]any
	var details []detail
	if r.FCM != "" {
		details = append(details, detail{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": r.FCM})
	}
	if r.Field != "" {
		details = append(details, detail{"@type": "type.googleapis.com/google.rpc.BadRequest",
			"fieldViolations": []detail{{"field": r.Field, "description": r.Words}}})
	}
	e := map[string]any{"code": r.HTTP, "message": r.Words, "status": r.Status}
	if details != nil {
		e["details"] = details
	}
	if r.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(r.RetryAfter.Seconds())))
	}
	answer(w, r.HTTP, map[string]any{"error": e})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// messagingScopes are those that messages:send takes, the narrow one and the wide one.
var messagingScopes = []string{
	"https://www.googleapis.com/auth/firebase.messaging",
	"https://www.googleapis.com/auth/cloud-platform",
}

// maxBody is far beyond the largest message, and keeps a mistake from filling the memory.
const maxBody = 1 << 20

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return // the sender gave up, or sends without an end
	}
	if r.PathValue("method") != "messages:send" {
		http.NotFound(w, r)
		return
	}
	m, refusal := s.check(r, raw)
	if refusal == nil {
		f := s.Fates.Meet(r.Context(), m.Token)
		refusal, m.Lost = f.Refuse, f.Lost
	}
	if refusal != nil {
		refusal.write(w)
		return
	}
	if m.trial {
		answer(w, http.StatusOK, map[string]string{"name": "projects/" + s.project + "/messages/fake_message_id"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"name": s.take(m).ID})
}

// check judges in Google's order: who asks, whether he may, and then what for.
func (s *Server) check(r *http.Request, raw []byte) (Message, *Refusal) {
	g, ok := s.oauth.Bearer(r.Header.Get("Authorization"))
	switch {
	case !ok:
		return Message{}, &unauthenticated
	case !g.Has(messagingScopes...):
		return Message{}, &noScope
	case r.PathValue("project") != s.project:
		return Message{}, &otherProject
	}
	return readMessage(raw)
}

func (s *Server) take(m Message) Message {
	s.mu.Lock()
	m.At = s.now()
	m.ID = fmt.Sprintf("projects/%s/messages/0:%d%%%016x", s.project, m.At.UnixMicro(), len(s.inbox)+1)
	s.inbox = append(s.inbox, m)
	s.mu.Unlock()
	if s.taken != nil {
		s.taken(m)
	}
	return m
}
