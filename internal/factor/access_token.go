package factor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/jose"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// AccessToken lets a device that has no account make one kind of factor for one identity, for a short
// time. The application's server asks for it and gives it to its app.
type AccessToken struct {
	SID          string // YK…
	ServiceSID   string
	AccountSID   string
	Identity     string
	FactorType   Type
	FriendlyName string // of the factor, "" where the device names it
	TTL          time.Duration
	// TokenSealed is what the device sends, sealed for the SID.
	TokenSealed []byte
	CreatedAt   time.Time // whole seconds, as the token says it
}

// AccessTokenParams are the parameters of an access token (factors reference, section 5); nil means
// "not sent".
type AccessTokenParams struct {
	Identity           *string
	FactorType         *string
	FactorFriendlyName *string
	TTL                *int // seconds
}

// Grant is what an access token allows.
type Grant struct {
	AccountSID   string
	ServiceSID   string
	Identity     string
	FactorType   Type
	FriendlyName string
}

// allows reports whether a factor is the one that was meant.
func (g *Grant) allows(s *verify.Service, identity string, kind Type) bool {
	return g.ServiceSID == s.SID && strings.EqualFold(g.Identity, identity) && g.FactorType == kind
}

const (
	defaultAccessTTL = 60 // seconds
	// accessContent is the content type of access tokens.
	accessContent = "twilio-fpa;v=1"
)

// accessClaims are what an access token says. Nobody but verifyd reads them.
type accessClaims struct {
	SID          string `json:"jti"`
	AccountSID   string `json:"iss"`
	ServiceSID   string `json:"sub"`
	Identity     string `json:"identity"`
	FactorType   Type   `json:"factor"`
	FriendlyName string `json:"friendly_name,omitempty"`
	IssuedAt     int64  `json:"iat"`
	ExpiresAt    int64  `json:"exp"`
}

// CreateAccessToken makes an access token. The identity need not have an entity.
func (e *Engine) CreateAccessToken(ctx context.Context, accountSID, serviceSID string, p AccessTokenParams) (t *AccessToken, token string, err error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, "", err
	}
	t = &AccessToken{ServiceSID: s.SID, AccountSID: s.AccountSID, CreatedAt: e.verify.Now().Truncate(time.Second)}
	if err := t.read(p); err != nil {
		return nil, "", err
	}
	if t.SID, err = sid.New(sid.AccessToken, e.verify.Now(), e.verify.Random); err != nil {
		return nil, "", err
	}
	if token, err = e.sealClaims(accessClaims{
		SID: t.SID, AccountSID: t.AccountSID, ServiceSID: t.ServiceSID, Identity: t.Identity, FactorType: t.FactorType,
		FriendlyName: t.FriendlyName, IssuedAt: t.CreatedAt.Unix(), ExpiresAt: t.CreatedAt.Add(t.TTL).Unix(),
	}); err != nil {
		return nil, "", err
	}
	t.TokenSealed = e.verify.Keys.Seal(keyring.AccessSeal, token, t.SID)
	err = e.update(ctx, func(tx Tx) error {
		tx.AddAccessToken(t)
		return nil
	})
	return t, token, err
}

func (t *AccessToken) read(p AccessTokenParams) error {
	var given bool
	if t.Identity, given = sent(p.Identity); !given || !validIdentity(t.Identity) {
		return &verify.Error{Code: CodeInvalidAccessToken, Param: "Identity"}
	}
	kind, _ := sent(p.FactorType)
	if t.FactorType = Type(strings.ToLower(kind)); t.FactorType != Push {
		return &verify.Error{Code: CodeInvalidAccessToken, Param: "FactorType"}
	}
	if t.FriendlyName, given = sent(p.FactorFriendlyName); given && !validFactorName(t.FriendlyName) {
		return refuse("FactorFriendlyName")
	}
	seconds := defaultAccessTTL
	if p.TTL != nil {
		seconds = *p.TTL
	}
	if !AccessTokenTTLs.Holds(seconds) {
		return refuse("Ttl")
	}
	t.TTL = time.Duration(seconds) * time.Second
	return nil
}

// AccessToken fetches an access token that has not expired.
func (e *Engine) AccessToken(ctx context.Context, accountSID, serviceSID, tokenSID string) (t *AccessToken, token string, err error) {
	s, err := e.verify.Service(ctx, accountSID, serviceSID)
	if err != nil {
		return nil, "", err
	}
	err = e.view(ctx, func(tx Tx) (err error) {
		t, err = tx.AccessToken(tokenSID)
		return err
	})
	if errors.Is(err, verify.ErrNotFound) || err == nil && (t.ServiceSID != s.SID || !e.verify.Now().Before(t.CreatedAt.Add(t.TTL))) {
		return nil, "", &verify.Error{Code: verify.CodeNotFound}
	}
	if err != nil {
		return nil, "", err
	}
	token, err = e.verify.Keys.Open(keyring.AccessSeal, t.TokenSealed, t.SID)
	return t, token, err
}

// AuthenticateGrant reads an access token that a device brings along. It may be used more than once
// while it lives: a device repeats a call whose answer it did not get, and a key makes one factor. A
// refusal is an *Error with CodeUnauthorized.
func (e *Engine) AuthenticateGrant(token string) (*Grant, error) {
	text, err := jose.OpenJWE(token, e.openClaims)
	if err != nil {
		return nil, &verify.Error{Code: verify.CodeUnauthorized}
	}
	var c accessClaims
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, fmt.Errorf("claims of an access token: %w", err)
	}
	if !e.verify.Now().Before(time.Unix(c.ExpiresAt, 0)) {
		return nil, &verify.Error{Code: verify.CodeUnauthorized}
	}
	return &Grant{
		AccountSID: c.AccountSID, ServiceSID: c.ServiceSID, Identity: c.Identity, FactorType: c.FactorType, FriendlyName: c.FriendlyName,
	}, nil
}

// sealClaims makes an access token. A value of the keyring is what a JWE is made of, but for the number
// of the root key in front, which is the key id: "k1".
func (e *Engine) sealClaims(c accessClaims) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	header := fmt.Sprintf(`{"alg":"dir","enc":"A256GCM","cty":"%s","kid":"k%d"}`, accessContent, e.verify.Keys.Number())
	return jose.SealJWE([]byte(header), func(additional string) []byte {
		return e.verify.Keys.Seal(keyring.AccessSeal, string(text), additional)[1:]
	}), nil
}

func (e *Engine) openClaims(h jose.Header, sealed []byte, additional string) (string, error) {
	digits, isKey := strings.CutPrefix(h.Kid, "k")
	number, err := strconv.ParseUint(digits, 10, 8)
	if !isKey || err != nil || h.Cty != accessContent {
		return "", jose.ErrMalformed
	}
	return e.verify.Keys.Open(keyring.AccessSeal, append([]byte{byte(number)}, sealed...), additional)
}
