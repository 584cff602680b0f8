package verify

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/sid"
)

// Account owns services and keys. Accounts cannot see one another.
type Account struct {
	SID  string // AC…
	Name string
	// TokenHash is the SHA-256 of the auth token. A fast hash is right for a random secret: a slow
	// one would be the most expensive part of every request.
	TokenHash []byte
	// TokenSealed is the token itself, sealed: webhooks are signed with it, and `verifyd dev`
	// prints it at every start.
	TokenSealed []byte
	CreatedAt   time.Time
}

// Key is an API key: another credential of its account, without the token's power to be shown
// again.
type Key struct {
	SID        string // SK…
	AccountSID string
	Name       string
	SecretHash []byte // SHA-256
	CreatedAt  time.Time
}

// CreateAccount makes an account. An empty sid or token is minted. If countries are named, messages
// may go to them alone (see ReadCountries).
func (e *Engine) CreateAccount(ctx context.Context, name, accountSID, token string, countries ...string) (Account, string, error) {
	var err error
	if len(countries) > 0 {
		if countries, err = ReadCountries(countries); err != nil {
			return Account{}, "", err
		}
	}
	now := e.Now()
	if accountSID == "" {
		accountSID, err = sid.New(sid.Account, now, e.Random)
	} else if !sid.Valid(sid.Account, accountSID) {
		err = fmt.Errorf("account SID %q: want AC and 32 hexadecimal digits", accountSID)
	}
	if err == nil && token == "" {
		token, err = newSecret(e.Random)
	}
	if err != nil {
		return Account{}, "", err
	}
	a := Account{
		SID:         accountSID,
		Name:        name,
		TokenHash:   hashSecret(token),
		TokenSealed: e.Keys.Seal(keyring.TokenSeal, token, accountSID),
		CreatedAt:   now,
	}
	err = e.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Account(a.SID); vacant(err) != nil {
			return vacant(err)
		}
		tx.PutAccount(&a)
		if len(countries) > 0 {
			tx.PutGeoRule(GeoRule{AccountSID: a.SID})
		}
		for _, country := range countries { // one about all countries takes the place of the first
			tx.PutGeoRule(GeoRule{AccountSID: a.SID, Country: country, Allowed: true})
		}
		return nil
	})
	return a, token, err
}

// ReplaceToken gives an account another auth token. The old one is refused from then on.
func (e *Engine) ReplaceToken(ctx context.Context, accountSID, token string) error {
	return e.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Account(accountSID)
		if err != nil {
			return err
		}
		a.TokenHash = hashSecret(token)
		a.TokenSealed = e.Keys.Seal(keyring.TokenSeal, token, a.SID)
		tx.PutAccount(a)
		return nil
	})
}

// Token is the auth token of an account.
func (e *Engine) Token(a *Account) (string, error) {
	return e.Keys.Open(keyring.TokenSeal, a.TokenSealed, a.SID)
}

// CreateKey makes an API key and returns its secret, which nobody can be shown again.
func (e *Engine) CreateKey(ctx context.Context, accountSID, name string) (Key, string, error) {
	now := e.Now()
	keySID, err := sid.New(sid.APIKey, now, e.Random)
	if err != nil {
		return Key{}, "", err
	}
	secret, err := newSecret(e.Random)
	if err != nil {
		return Key{}, "", err
	}
	k := Key{SID: keySID, AccountSID: accountSID, Name: name, SecretHash: hashSecret(secret), CreatedAt: now}
	err = e.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Account(accountSID); err != nil {
			return err
		}
		tx.PutKey(&k)
		return nil
	})
	return k, secret, err
}

// Authenticate finds the account that a user name (AC… or SK…) and a password belong to. A refusal
// is an *Error with CodeUnauthorized and does not say which half was wrong.
func (e *Engine) Authenticate(ctx context.Context, user, password string) (accountSID string, err error) {
	if user == "" {
		return "", &Error{Code: CodeUnauthorized, Text: "Authentication Error - No credentials provided"}
	}
	accountSID, hash, err := e.directory.credential(ctx, user)
	if errors.Is(err, ErrNotFound) {
		hash = make([]byte, sha256.Size) // an unknown user costs the same work as a wrong password
	} else if err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare(hash, hashSecret(password)) != 1 {
		return "", &Error{Code: CodeUnauthorized, Text: "Authentication Error - invalid username"}
	}
	return accountSID, nil
}

func hashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// minTokenLength is 32 characters, as long as Twilio's tokens.
const minTokenLength = 32

// CheckToken holds an auth token that somebody brings along against what production asks for: long
// enough not to be guessed, and in the alphabet that client libraries insist on (twilio-go refuses
// to send anything but letters and digits).
func CheckToken(token string) error {
	if len(token) < minTokenLength {
		return fmt.Errorf("the auth token is too short: want at least %d letters and digits", minTokenLength)
	}
	if strings.ContainsFunc(token, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return errors.New("the auth token has a character that client libraries refuse: want letters and digits only")
	}
	return nil
}

// newSecret draws 32 characters, as long as Twilio's tokens: 190 bits.
func newSecret(random io.Reader) (string, error) {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const length = 32
	secret := make([]byte, 0, length)
	var b [64]byte
	for len(secret) < length {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("mint a secret: %w", err)
		}
		for _, draw := range b {
			// 248 is the last multiple of 62 in a byte; higher draws would favour some letters.
			if draw < 248 && len(secret) < length {
				secret = append(secret, alphabet[draw%62])
			}
		}
	}
	return string(secret), nil
}

// Accounts lists all accounts, oldest first.
func (e *Engine) Accounts(ctx context.Context) ([]Account, error) {
	var list []Account
	err := e.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Accounts()
		return err
	})
	return list, err
}
