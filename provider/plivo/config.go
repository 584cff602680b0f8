package plivo

import (
	"net/url"
	"time"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "plivo".
type Config struct {
	AuthID    string `json:"auth_id"`
	AuthToken string `json:"auth_token"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// CallFrom is the number that calls come from; From, unless it is set.
	CallFrom string `json:"call_from"`
	// ReportURL is where Plivo reaches this provider's reports, exactly as Plivo calls it.
	ReportURL string `json:"report_url"`
	// BaseURL is https://api.plivo.com unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint      string
	calls         string
	authorization string
	authToken     string
	from          string
	callFrom      string
	reportURL     *url.URL
	timeout       time.Duration
}

func (c Config) settings() (settings, error) {
	s := settings{authorization: httpsend.Basic(c.AuthID, c.AuthToken), authToken: c.AuthToken, from: c.From, callFrom: c.CallFrom}
	if err := httpsend.Require("auth_id", c.AuthID, "auth_token", c.AuthToken, "from", c.From); err != nil {
		return s, err
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.plivo.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("v1", "Account", url.PathEscape(c.AuthID), "Message/").String()
	s.calls = base.JoinPath("v1", "Account", url.PathEscape(c.AuthID), "Call/").String()
	if c.ReportURL != "" {
		if s.reportURL, err = httpsend.ParseURL("report_url", c.ReportURL, false); err != nil {
			return s, err
		}
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
