package vonage

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"os"
	"regexp"
	"time"

	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "vonage".
type Config struct {
	APIKey    string `json:"api_key"`
	APISecret string `json:"api_secret"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// ApplicationID and a private key make calls: the key as a file, or as its text.
	ApplicationID  string `json:"application_id"`
	PrivateKeyFile string `json:"private_key_file"`
	PrivateKey     string `json:"private_key"`
	// CallFrom is the number that calls come from; From, unless it is set.
	CallFrom string `json:"call_from"`
	// RCSFrom is the sender of texts by RCS whose route names none: the agent's name. Without it none are
	// sent.
	RCSFrom string `json:"rcs_from"`
	// Currency is what the account is counted in, "EUR". Vonage states prices without it, so that
	// none is recorded where it is empty.
	Currency string `json:"currency"`
	// ReportURL is where Vonage reaches this provider's reports.
	ReportURL string `json:"report_url"`
	// SignatureSecret proves the reports of an account that signs them.
	SignatureSecret string `json:"signature_secret"`
	// SignatureMethod is that of the account: "sha256" (or empty), "sha512", "sha1", "md5", or
	// "md5hash".
	SignatureMethod string `json:"signature_method"`
	// AllowFrom are the networks that reports may come from, any where it is empty.
	AllowFrom []string `json:"allow_from"`
	// BaseURL is https://rest.nexmo.com unless it is set.
	BaseURL string `json:"base_url"`
	// VoiceBaseURL is https://api.nexmo.com unless it is set.
	VoiceBaseURL string `json:"voice_base_url"`
	// MessagesURL is https://api.nexmo.com unless it is set: where texts by RCS go.
	MessagesURL string `json:"messages_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint        string
	messages        string // the endpoint of the Messages API
	rcsFrom         string
	authorization   string
	apiKey          string
	from, callFrom  string
	voice           voice
	currency        string
	reportURL       string
	signatureSecret string
	signatureHash   func() hash.Hash // nil for "md5hash", which is no HMAC
	networks        httpreport.Networks
	timeout         time.Duration
}

var methods = map[string]func() hash.Hash{
	"": sha256.New, "sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New, "md5": md5.New, "md5hash": nil,
}

var currency = regexp.MustCompile(`^([A-Z]{3})?$`)

func (c Config) settings() (settings, error) {
	s := settings{
		apiKey: c.APIKey, authorization: httpsend.Basic(c.APIKey, c.APISecret), from: c.From, callFrom: c.CallFrom, currency: c.Currency,
		reportURL: c.ReportURL, signatureSecret: c.SignatureSecret, rcsFrom: c.RCSFrom,
	}
	if err := httpsend.Require("api_key", c.APIKey, "api_secret", c.APISecret, "from", c.From); err != nil {
		return s, err
	}
	if !currency.MatchString(c.Currency) {
		return s, fmt.Errorf("currency %q is not of the form EUR", c.Currency)
	}
	newHash, ok := methods[c.SignatureMethod]
	if !ok {
		return s, fmt.Errorf("signature_method: %q is none of sha256, sha512, sha1, md5, md5hash", c.SignatureMethod)
	}
	s.signatureHash = newHash
	if c.BaseURL == "" {
		c.BaseURL = "https://rest.nexmo.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("sms", "json").String()
	if c.MessagesURL == "" {
		c.MessagesURL = "https://api.nexmo.com"
	}
	if base, err = httpsend.ParseBase("messages_url", c.MessagesURL, false); err != nil {
		return s, err
	}
	s.messages = base.JoinPath("v1", "messages").String()
	if c.ReportURL != "" {
		if _, err := httpsend.ParseURL("report_url", c.ReportURL, false); err != nil {
			return s, err
		}
	}
	if s.networks, err = httpreport.ParseNetworks("allow_from", c.AllowFrom); err != nil {
		return s, err
	}
	if s.voice, err = c.voice(); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}

// privateKey is the key of the application in PEM, "" where there is none.
func (c Config) privateKey() (string, error) {
	if c.PrivateKeyFile == "" || c.PrivateKey != "" {
		if c.PrivateKeyFile != "" {
			return "", errors.New("private_key_file and private_key are both set")
		}
		return c.PrivateKey, nil
	}
	text, err := os.ReadFile(c.PrivateKeyFile)
	if err != nil {
		return "", fmt.Errorf("private_key_file: %w", err)
	}
	return string(text), nil
}
