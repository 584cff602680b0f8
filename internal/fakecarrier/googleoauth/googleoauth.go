// Package googleoauth is Google's token endpoint for one service account, for the fakes of the APIs that
// want its tokens: Firebase, RCS. It checks who signed the assertion, for whom, for what and for how long,
// and knows the tokens that it gave until their end.
//
// It is not for the consent of people, nor for any other grant.
package googleoauth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/jwt"
)

const (
	// googles is the audience of an assertion for Google itself, and of one for a stand-in.
	googles = "https://oauth2.googleapis.com/token"
	// bearerGrant is the grant type of RFC 7523, 2.1.
	bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	// life is how long an access token is good. Google says one second less than an hour.
	life = 3599 * time.Second
	// skew is how far the clock of a sender may run ahead.
	skew = 5 * time.Minute
)

// maxBody is far beyond any assertion.
const maxBody = 1 << 20

// Server is the endpoint. It is an http.Handler for whatever path it is put at.
type Server struct {
	project string
	email   string
	keyID   string
	key     *rsa.PrivateKey
	now     func() time.Time

	mu      sync.Mutex
	granted map[string]Grant // by access token
	grants  int
}

// Grant is what an access token is good for.
type Grant struct {
	Scopes []string
	ends   time.Time
}

// Has reports whether the token is good for one of the scopes.
func (g Grant) Has(scopes ...string) bool {
	return slices.ContainsFunc(g.Scopes, func(scope string) bool { return slices.Contains(scopes, scope) })
}

// New makes the endpoint for the account name of a project. key is the account's; it is made where it is
// nil. now is time.Now where it is nil.
func New(project, name string, key *rsa.PrivateKey, now func() time.Time) (*Server, error) {
	if key == nil {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, fmt.Errorf("make the service account's key: %w", err)
		}
	}
	if now == nil {
		now = time.Now
	}
	return &Server{
		project: project, email: name + "@" + project + ".iam.gserviceaccount.com",
		keyID: "7d1f0c5a9be24c3d8f60a1b2c3d4e5f607182930", key: key, now: now, granted: map[string]Grant{},
	}, nil
}

// ServiceAccount is the key file of the service account, as Google's console hands it out, for a
// Server that is reached under base, such as "http://127.0.0.1:8080".
func (s *Server) ServiceAccount(base string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, fmt.Errorf("encode the service account's key: %w", err)
	}
	return json.MarshalIndent(map[string]string{
		"type":           "service_account",
		"project_id":     s.project,
		"private_key_id": s.keyID,
		"private_key":    string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email":   s.email,
		"client_id":      "100000000000000000001",
		"auth_uri":       "https://accounts.google.com/o/oauth2/auth",
		"token_uri":      base + "/token",
	}, "", "  ")
}

// Grants is how many access tokens were given.
func (s *Server) Grants() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grants
}

// Revoke makes every access token that was given worthless.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.granted)
}

// ServeHTTP exchanges an assertion for an access token (RFC 7523).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		refuse(w, "invalid_request", "Could not parse the body.")
		return
	}
	if r.PostForm.Get("grant_type") != bearerGrant {
		refuse(w, "unsupported_grant_type", "Invalid grant_type: "+r.PostForm.Get("grant_type"))
		return
	}
	scopes, code, words := s.assertion(r)
	if code != "" {
		refuse(w, code, words)
		return
	}
	g := Grant{Scopes: scopes, ends: s.now().Add(life)}
	token := "ya29.c." + rand.Text() + rand.Text()
	s.mu.Lock()
	s.granted[token] = g
	s.grants++
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{
		"access_token": token, "expires_in": int(life.Seconds()), "token_type": "Bearer",
	})
}

// assertion reads the assertion of a request and returns its scopes, or what is wrong with it.
func (s *Server) assertion(r *http.Request) (scopes []string, code, words string) {
	const invalid = "invalid_grant"
	token, err := jwt.Parse(r.PostForm.Get("assertion"))
	if err != nil {
		return nil, invalid, "Invalid JWT: " + err.Error()
	}
	var c struct {
		Iss   string `json:"iss"`
		Aud   string `json:"aud"`
		Scope string `json:"scope"`
		Iat   int64  `json:"iat"`
		Exp   int64  `json:"exp"`
	}
	if json.Unmarshal(token.Claims, &c) != nil {
		return nil, invalid, "Invalid JWT: a claim is of the wrong type."
	}
	now, issued, expires := s.now(), time.Unix(c.Iat, 0), time.Unix(c.Exp, 0)
	switch {
	case c.Iss != s.email:
		return nil, invalid, "Invalid grant: account not found"
	case token.Header.Kid != "" && token.Header.Kid != s.keyID, !token.SignedRS256(&s.key.PublicKey):
		return nil, invalid, "Invalid JWT Signature."
	case c.Aud != googles && c.Aud != self(r):
		return nil, invalid, "Invalid JWT: Failed audience check."
	case issued.After(now.Add(skew)), !expires.After(now), expires.Sub(issued) > time.Hour, expires.Before(issued):
		return nil, invalid, "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. " +
			"Check your iat and exp values in the JWT claim."
	case c.Scope == "":
		return nil, "invalid_scope", "Invalid OAuth scope or ID token audience provided."
	}
	return strings.Fields(c.Scope), "", ""
}

// self is the URL that a request came to.
func self(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	path, _, _ := strings.Cut(r.RequestURI, "?") // r.URL may have lost a prefix on the way here
	return scheme + r.Host + path
}

// refuse answers as RFC 6749, 5.2.
func refuse(w http.ResponseWriter, code, words string) {
	answer(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": words})
}

// Bearer finds the grant that a request shows in its Authorization.
func (s *Server) Bearer(authorization string) (Grant, bool) {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	g, given := s.granted[token]
	return g, ok && given && s.now().Before(g.ends)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
