// Package apns is the other end of the Apple Push Notification service, for tests and for whoever
// tries push without Apple. It checks what Apple's checks: that it is spoken to in HTTP/2, who signed
// the provider token and how old it is, that tokens do not change too often, and every header and the
// payload of a notification, in that order.
//
// What passes lies in an inbox. Refusals, delays and losses beyond that are set by hand, for one
// handset or for all (see fate). Whether it stands for production or for the sandbox is a matter of
// which handsets are refused as BadDeviceToken.
//
// It is not for certificates in the place of tokens, nor for channels and live activities.
package apns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
)

// Server is Apple's side for one team with one key. It is an http.Handler, which must be served by
// HTTP/2.
type Server struct {
	// Fates are what becomes of notifications by the token of their handset.
	Fates fate.Book[Refusal]

	team   string
	keyID  string
	key    *ecdsa.PrivateKey
	topics []string
	now    func() time.Time
	taken  func(Notification)

	mu    sync.Mutex
	iats  []int64 // of the provider tokens that were good
	inbox []Notification
}

// Options are what a Server is made of.
type Options struct {
	Team   string             // "TEAM123456" where it is empty
	KeyID  string             // "KEY1234567" where it is empty
	Key    *ecdsa.PrivateKey  // made where it is nil
	Topics []string           // the team's apps; nil takes every topic that is one
	Now    func() time.Time   // time.Now where it is nil
	Taken  func(Notification) // told of each notification that is taken, if it is set
}

// New makes a Server with an empty inbox, which takes every notification that is right.
func New(o Options) (*Server, error) {
	s := &Server{team: o.Team, keyID: o.KeyID, key: o.Key, topics: o.Topics, now: o.Now, taken: o.Taken}
	if s.team == "" {
		s.team = "TEAM123456"
	}
	if s.keyID == "" {
		s.keyID = "KEY1234567"
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.key == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make the team's key: %w", err)
		}
		s.key = key
	}
	return s, nil
}

// Team and KeyID are what Apple tells a developer along with the key.
func (s *Server) Team() string { return s.team }

// KeyID is the identifier of the key.
func (s *Server) KeyID() string { return s.keyID }

// Key is the file AuthKey_….p8 that a developer downloads.
func (s *Server) Key() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, fmt.Errorf("encode the team's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Notification is a notification that was taken.
type Notification struct {
	ID         string // apns-id
	Token      string // of the handset, as it was sent
	Topic      string
	PushType   string
	Priority   string // "" where there was none
	Expiration string // "" where there was none
	CollapseID string // "" where there was none
	Payload    json.RawMessage
	At         time.Time
	Lost       bool // on the way to the handset
}

// Inbox lists the notifications that were taken, in the order of their arrival.
func (s *Server) Inbox() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.inbox)
}

// Refusal is an answer that takes no notification.
type Refusal struct {
	HTTP   int
	Reason string
	// Since is when a handset's token became worthless, which a 410 tells.
	Since      time.Time
	RetryAfter time.Duration // the header of that name, in whole seconds; 0 is none
}

// What Apple's documentation lists under "Handling notification responses from APNs".
var (
	BadDeviceToken              = Refusal{HTTP: 400, Reason: "BadDeviceToken"}
	DeviceTokenNotForTopic      = Refusal{HTTP: 400, Reason: "DeviceTokenNotForTopic"}
	Unregistered                = Refusal{HTTP: 410, Reason: "Unregistered"}
	ExpiredProviderToken        = Refusal{HTTP: 403, Reason: "ExpiredProviderToken"}
	InvalidProviderToken        = Refusal{HTTP: 403, Reason: "InvalidProviderToken"}
	MissingProviderToken        = Refusal{HTTP: 403, Reason: "MissingProviderToken"}
	TooManyProviderTokenUpdates = Refusal{HTTP: 429, Reason: "TooManyProviderTokenUpdates"}
	TooManyRequests             = Refusal{HTTP: 429, Reason: "TooManyRequests"}
	ServiceUnavailable          = Refusal{HTTP: 503, Reason: "ServiceUnavailable"}
	Shutdown                    = Refusal{HTTP: 503, Reason: "Shutdown"}
)

func bad(reason string) *Refusal { return &Refusal{HTTP: http.StatusBadRequest, Reason: reason} }

// maxBody is far beyond the largest payload, and keeps a mistake from filling the memory.
const maxBody = 1 << 20

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 2 {
		http.Error(w, "APNs speaks HTTP/2 alone", http.StatusHTTPVersionNotSupported)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return // the sender gave up, or sends without an end
	}
	n, refusal := s.check(r, payload)
	if n.ID == "" {
		n.ID = newID()
	}
	w.Header()["apns-id"] = []string{n.ID}
	if refusal == nil {
		f := s.Fates.Meet(r.Context(), n.Token)
		refusal, n.Lost = f.Refuse, f.Lost
	}
	if refusal != nil {
		refusal.write(w)
		return
	}
	s.mu.Lock()
	n.At = s.now()
	s.inbox = append(s.inbox, n)
	s.mu.Unlock()
	if s.taken != nil {
		s.taken(n)
	}
}

func (r Refusal) write(w http.ResponseWriter) {
	body := map[string]any{"reason": r.Reason}
	if !r.Since.IsZero() {
		body["timestamp"] = r.Since.UnixMilli()
	}
	if r.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(r.RetryAfter.Seconds())))
	}
	w.WriteHeader(r.HTTP)
	json.NewEncoder(w).Encode(body)
}

// newID is a UUID of version 4, as Apple writes it.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
