package sendgrid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/url"
	"time"

	"github.com/verifyd/verifyd/provider/email"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "sendgrid".
type Config struct {
	APIKey string `json:"api_key"`
	// From is the sender for mails whose service and route name none.
	From     string `json:"from"`
	FromName string `json:"from_name"`
	// PublicKey proves the event webhook: the verification key of SendGrid's settings, in base64.
	PublicKey string `json:"public_key"`
	// BaseURL is https://api.sendgrid.com, or https://api.eu.sendgrid.com.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one mail: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	base      *url.URL
	apiKey    string
	from      string
	fromName  string
	publicKey *ecdsa.PublicKey // nil where no report is believed
	timeout   time.Duration
}

func (c Config) settings() (settings, error) {
	s := settings{apiKey: c.APIKey, from: c.From, fromName: c.FromName}
	if err := httpsend.Require("api_key", c.APIKey); err != nil {
		return s, err
	}
	if err := email.CheckSender(c.From, c.FromName); err != nil {
		return s, err
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.sendgrid.com"
	}
	var err error
	if s.base, err = httpsend.ParseBase("base_url", c.BaseURL, false); err != nil {
		return s, err
	}
	if c.PublicKey != "" {
		if s.publicKey, err = parseKey(c.PublicKey); err != nil {
			return s, err
		}
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}

// parseKey reads a key on P-256 as SendGrid's settings show it: a SubjectPublicKeyInfo in base64.
func parseKey(text string) (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("public_key is not the base64 of SendGrid's settings")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("public_key is not an ECDSA key on P-256")
	}
	return key, nil
}
