package twilio

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "twilio".
type Config struct {
	// AccountSID is "AC" and 32 hexadecimal digits.
	AccountSID string `json:"account_sid"`
	// AuthToken proves Twilio's reports, and authenticates requests where there is no API key.
	AuthToken string `json:"auth_token"`
	// APIKeySID and APIKeySecret authenticate requests: an API key can be revoked by itself.
	APIKeySID    string `json:"api_key_sid"`
	APIKeySecret string `json:"api_key_secret"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// CallFrom is the number that calls come from; From, unless it is set.
	CallFrom string `json:"call_from"`
	// MessagingServiceSID chooses the sender instead of From.
	MessagingServiceSID string `json:"messaging_service_sid"`
	// RCSFrom is the sender of messages by RCS whose route names none, "rcs:" and its name. Without it and
	// without a Messaging Service none are sent.
	RCSFrom string `json:"rcs_from"`
	// ReportURL is where Twilio reaches this provider's reports, exactly as Twilio calls it.
	ReportURL string `json:"report_url"`
	// BaseURL is https://api.twilio.com, unless the account lives in another region.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint         string
	calls            string
	authorization    string
	authToken        string
	from, callFrom   string
	messagingService string
	rcsFrom          string
	reportURL        *url.URL
	timeout          time.Duration
}

var (
	accountSID = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	rcsSender  = regexp.MustCompile(`^rcs:[A-Za-z0-9_.-]+$`)
)

func (c Config) settings() (settings, error) {
	s := settings{authToken: c.AuthToken, from: c.From, callFrom: c.CallFrom, messagingService: c.MessagingServiceSID, rcsFrom: c.RCSFrom}
	if !accountSID.MatchString(c.AccountSID) {
		return s, errors.New("account_sid is not AC and 32 hexadecimal digits")
	}
	switch {
	case c.APIKeySID != "" && c.APIKeySecret != "":
		s.authorization = httpsend.Basic(c.APIKeySID, c.APIKeySecret)
	case c.APIKeySID != "" || c.APIKeySecret != "":
		return s, errors.New("api_key_sid and api_key_secret go together")
	case c.AuthToken != "":
		s.authorization = httpsend.Basic(c.AccountSID, c.AuthToken)
	default:
		return s, errors.New("auth_token is missing, and there is no api_key_sid")
	}
	if c.From == "" && c.MessagingServiceSID == "" && c.CallFrom == "" {
		return s, errors.New("from is missing, and there is no messaging_service_sid and no call_from")
	}
	if c.RCSFrom != "" && !rcsSender.MatchString(c.RCSFrom) {
		return s, errors.New(`rcs_from is not of the form "rcs:acme_agent"`)
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.twilio.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("2010-04-01", "Accounts", c.AccountSID, "Messages.json").String()
	s.calls = base.JoinPath("2010-04-01", "Accounts", c.AccountSID, "Calls.json").String()
	if c.ReportURL != "" {
		if c.AuthToken == "" {
			return s, errors.New("auth_token is missing: it signs the reports, also where requests have an API key")
		}
		if s.reportURL, err = httpsend.ParseURL("report_url", c.ReportURL, false); err != nil {
			return s, err
		}
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}

// validity is the life of the code in seconds, which Twilio takes from 1 to 36000.
func (p *Provider) validity(m provider.Message) string {
	return strconv.Itoa(int(p.sender.Life(m, time.Second, 10*time.Minute).Seconds()))
}
