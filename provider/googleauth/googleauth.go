// Package googleauth gets access tokens for a service account of Google's: it reads the key file, signs
// an assertion once an hour (RFC 7523), and lends the token to whoever sends. It is for the providers
// whose other side is Google: Firebase, RCS.
//
// The idea is that a token endpoint in trouble disturbs nobody: the next token is asked for five minutes
// before the old one ends, by one caller, and until then the old one serves.
//
// It knows nothing of what the tokens are good for but the scope that it asks for.
package googleauth

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

const (
	// grantType is that of RFC 7523, 2.1.
	grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	// early is how long before its end a token is replaced.
	early = 5 * time.Minute
	// pause is how long the old token serves on after its successor was not to be had.
	pause = 30 * time.Second
	// assertionLife is the longest that Google takes.
	assertionLife = time.Hour
)

// Tokens keeps one access token, and has one request for the next under way at most. It is safe for
// concurrent use.
type Tokens struct {
	account Account
	scope   string
	url     string
	sender  *httpsend.Sender
	now     func() time.Time
	turn    chan struct{} // full while somebody asks for the next token

	mu      sync.Mutex
	value   string
	renewAt time.Time
	ends    time.Time
}

// NewTokens are the access tokens of an account for a scope, asked for at url, or where the account's key
// file says if url is empty.
func NewTokens(a Account, scope, url string, s *httpsend.Sender, now func() time.Time) *Tokens {
	if url == "" {
		url = a.audience
	}
	return &Tokens{account: a, scope: scope, url: url, sender: s, now: now, turn: make(chan struct{}, 1)}
}

// Get returns a token that is not refused, which is one that Google no longer takes, or "". In the last
// minutes of a token one caller asks for the next, while the others go on with the old one. The
// error is a *provider.Error that says the message was surely not sent.
func (t *Tokens) Get(ctx context.Context, refused string, m provider.Message) (string, error) {
	old, fresh := t.kept(refused)
	if fresh {
		return old, nil
	}
	if old != "" {
		select {
		case t.turn <- struct{}{}:
		default:
			return old, nil
		}
	} else {
		select {
		case t.turn <- struct{}{}:
		case <-ctx.Done():
			return "", &provider.Error{Class: provider.Temporary, Detail: "there was no access token in time", Err: ctx.Err()}
		}
	}
	defer func() { <-t.turn }()
	if old, fresh = t.kept(refused); fresh {
		return old, nil // another has asked meanwhile
	}
	next, err := t.fetch(ctx, m)
	switch {
	case err == nil:
		return next, nil
	case old != "":
		t.mu.Lock()
		defer t.mu.Unlock()
		t.renewAt = t.now().Add(pause)
		return old, nil
	}
	return "", err
}

// kept is the token that there is, if it is still good, and whether it is for a while.
func (t *Tokens) kept(refused string) (value string, fresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if t.value == "" || t.value == refused || !now.Before(t.ends) {
		return "", false
	}
	return t.value, now.Before(t.renewAt)
}

func (t *Tokens) fetch(ctx context.Context, m provider.Message) (string, error) {
	asked := t.now()
	assertion, err := t.account.assertion(t.scope, asked)
	if err != nil {
		return "", &provider.Error{Class: provider.BadRequest, Detail: "access token: the key of the service account does not sign"}
	}
	answer, err := t.sender.Do(ctx, httpsend.Request{
		URL:    t.url,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body:   []byte(url.Values{"grant_type": {grantType}, "assertion": {assertion}}.Encode()),
	}, m)
	if err != nil {
		e := provider.AsError(err)
		if e.Class == provider.Unknown {
			e.Class = provider.Temporary // whatever became of this request, the message was not in it
		}
		e.Detail = "access token: Google " + t.sender.Excerpt(e.Detail, m, assertion)
		return "", e
	}
	value, life, e := readToken(answer, t.sender.Refusal(answer))
	if e != nil {
		e.Code = t.sender.Excerpt(e.Code, m, assertion)
		e.Detail = "access token: " + t.sender.Excerpt(e.Detail, m, assertion)
		return "", e
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.ends = value, asked.Add(life)
	t.renewAt = t.ends.Add(-min(early, life/2))
	return value, nil
}

// assertion is a JSON Web Token by which the account asks for an access token
// (developers.google.com/identity/protocols/oauth2/service-account).
func (a Account) assertion(scope string, now time.Time) (string, error) {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Typ string `json:"typ"`
		Kid string `json:"kid,omitempty"`
	}{"RS256", "JWT", a.keyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Iss   string `json:"iss"`
		Scope string `json:"scope"`
		Aud   string `json:"aud"`
		Iat   int64  `json:"iat"`
		Exp   int64  `json:"exp"`
	}{a.email, scope, a.audience, now.Unix(), now.Add(assertionLife).Unix()})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// readToken reads the answer of the token endpoint (RFC 6749, 5). e is what its status says; as no
// message was in the request, what is unclear is Temporary.
func readToken(a httpsend.Answer, e *provider.Error) (value string, life time.Duration, _ *provider.Error) {
	var b struct {
		AccessToken httpsend.Scalar `json:"access_token"`
		ExpiresIn   float64         `json:"expires_in"`
		Error       httpsend.Scalar `json:"error"`
		Description httpsend.Scalar `json:"error_description"`
	}
	if json.Valid(a.Body) {
		_ = json.Unmarshal(a.Body, &b) // fields of another type are taken as absent
	}
	if a.OK() {
		if life = httpsend.Seconds(b.ExpiresIn); life > 0 && httpsend.Printable(string(b.AccessToken)) {
			return string(b.AccessToken), life, nil
		}
		e.Class, e.Detail = provider.Temporary, "Google answered without a token"
		return "", 0, e
	}
	if e.Class == provider.Unknown {
		e.Class = provider.Temporary
	}
	if b.Error != "" {
		e.Code += " " + string(b.Error)
	}
	if b.Description != "" {
		e.Detail = string(b.Description)
	}
	return "", 0, e
}
