package infobip

import (
	"errors"
	"time"

	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "infobip".
type Config struct {
	// BaseURL is the account's own: https://xxxxx.api.infobip.com.
	BaseURL string `json:"base_url"`
	APIKey  string `json:"api_key"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// CallFrom is the number that calls come from; From, unless it is set.
	CallFrom string `json:"call_from"`
	// ReportURL is where Infobip reaches this provider's reports.
	ReportURL string `json:"report_url"`
	// ReportUsername and ReportPassword are asked of a report, if the subscription at Infobip has
	// them.
	ReportUsername string `json:"report_username"`
	ReportPassword string `json:"report_password"`
	// AllowFrom are the networks that reports may come from, any where it is empty.
	AllowFrom []string `json:"allow_from"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint           string
	calls              string
	apiKey             string
	from, callFrom     string
	reportURL          string
	username, password string
	networks           httpreport.Networks
	timeout            time.Duration
}

func (c Config) settings() (settings, error) {
	s := settings{apiKey: c.APIKey, from: c.From, callFrom: c.CallFrom, reportURL: c.ReportURL, username: c.ReportUsername, password: c.ReportPassword}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("sms", "3", "messages").String()
	s.calls = base.JoinPath("tts", "3", "advanced").String()
	if err := httpsend.Require("api_key", c.APIKey, "from", c.From); err != nil {
		return s, err
	}
	if (c.ReportUsername == "") != (c.ReportPassword == "") {
		return s, errors.New("report_username and report_password go together")
	}
	if c.ReportURL != "" {
		if _, err := httpsend.ParseURL("report_url", c.ReportURL, false); err != nil {
			return s, err
		}
	}
	if s.networks, err = httpreport.ParseNetworks("allow_from", c.AllowFrom); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
