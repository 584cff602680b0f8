package apns

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
)

const (
	// rhythm is how often the token changes. Apple takes one for an hour.
	rhythm = 30 * time.Minute
	// minAge is how long Apple wants a token to be used before the next one.
	minAge = 20 * time.Minute
	// ahead is how far our clock may run ahead of Apple's, which takes no token from the future.
	ahead = time.Minute
)

// signer keeps the provider token. Its time is rounded down to the half hour and its signature has
// no randomness, so that many nodes with one key, and one that restarts, all show the same token.
type signer struct {
	key   *ecdsa.PrivateKey
	keyID string
	team  string

	mu    sync.Mutex
	value string
	iat   time.Time
}

// token is the one for now.
func (s *signer) token(now time.Time) (string, *provider.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	iat := now.Add(-ahead).Truncate(rhythm)
	if s.value != "" && iat.Sub(s.iat) < minAge && !s.iat.After(now) {
		return s.value, nil
	}
	return s.mint(iat)
}

// renew gives another token for one that Apple calls expired. It is the same one where a newer one
// would only be refused for coming too soon: then a clock is wrong by more than tokens can mend.
func (s *signer) renew(refused string, now time.Time) (string, *provider.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.value != refused || now.Sub(s.iat) < minAge {
		return s.value, nil
	}
	return s.mint(now)
}

func (s *signer) mint(iat time.Time) (string, *provider.Error) {
	value, err := sign(s.key, s.keyID, s.team, iat)
	if err != nil {
		return "", &provider.Error{Class: provider.BadRequest, Detail: "the key does not sign"}
	}
	s.value, s.iat = value, iat.Truncate(time.Second)
	return value, nil
}

// sign makes a JSON Web Token by ES256 (RFC 7518, 3.4): r and s side by side, not ASN.1. The signature
// is that of RFC 6979, the same for the same token.
func sign(key *ecdsa.PrivateKey, keyID, team string, iat time.Time) (string, error) {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}{"ES256", keyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Iss string `json:"iss"`
		Iat int64  `json:"iat"`
	}{team, iat.Unix()})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	der, err := key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		return "", err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		return "", errors.New("the signature is no pair of numbers")
	}
	var raw [64]byte
	pair.R.FillBytes(raw[:32])
	pair.S.FillBytes(raw[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(raw[:]), nil
}
