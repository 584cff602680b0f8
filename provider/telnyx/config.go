package telnyx

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"time"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "telnyx".
type Config struct {
	APIKey string `json:"api_key"`
	// From is the sender for messages whose route names none. It may be empty where a profile
	// chooses from its own numbers.
	From string `json:"from"`
	// MessagingProfileID is required for alphanumeric senders and for number pools.
	MessagingProfileID string `json:"messaging_profile_id"`
	// ConnectionID is the Call Control application that makes calls.
	ConnectionID string `json:"connection_id"`
	// CallFrom is the number that calls come from; From, unless it is set.
	CallFrom string `json:"call_from"`
	// ReportURL is where Telnyx reaches this provider's reports.
	ReportURL string `json:"report_url"`
	// PublicKey is the account's key that proves the reports, in base64.
	PublicKey string `json:"public_key"`
	// BaseURL is https://api.telnyx.com unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint string
	calls    string
	callFrom string

	connectionID string
	apiKey       string
	from         string
	profile      string
	reportURL    string
	publicKey    ed25519.PublicKey
	timeout      time.Duration
}

func (c Config) settings() (settings, error) {
	s := settings{apiKey: c.APIKey, from: c.From, profile: c.MessagingProfileID, reportURL: c.ReportURL,
		callFrom: c.CallFrom, connectionID: c.ConnectionID}
	if err := httpsend.Require("api_key", c.APIKey); err != nil {
		return s, err
	}
	if c.From == "" && c.MessagingProfileID == "" && c.CallFrom == "" {
		return s, errors.New("from is missing, and there is no messaging_profile_id and no call_from")
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.telnyx.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("v2", "messages").String()
	s.calls = base.JoinPath("v2", "calls").String()
	if c.PublicKey != "" {
		if s.publicKey, err = base64.StdEncoding.DecodeString(c.PublicKey); err != nil || len(s.publicKey) != ed25519.PublicKeySize {
			return s, errors.New("public_key is not 32 bytes in base64")
		}
	}
	if c.ReportURL != "" {
		if s.publicKey == nil {
			return s, errors.New("public_key is missing: it proves the reports")
		}
		if _, err := httpsend.ParseURL("report_url", c.ReportURL, false); err != nil {
			return s, err
		}
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
