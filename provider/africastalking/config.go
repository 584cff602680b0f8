package africastalking

import (
	"time"

	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "africastalking".
type Config struct {
	// Username is that of the application, "sandbox" for the sandbox.
	Username string `json:"username"`
	APIKey   string `json:"api_key"`
	// From is the sender for messages whose route names none; empty lets Africa's Talking choose.
	From string `json:"from"`
	// AllowFrom are the networks that reports may come from, any where it is empty.
	AllowFrom []string `json:"allow_from"`
	// BaseURL is https://api.africastalking.com, or that of the sandbox, unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint string
	username string
	apiKey   string
	from     string
	networks httpreport.Networks
	timeout  time.Duration
}

func (c Config) settings() (settings, error) {
	s := settings{username: c.Username, apiKey: c.APIKey, from: c.From}
	if err := httpsend.Require("username", c.Username, "api_key", c.APIKey); err != nil {
		return s, err
	}
	switch {
	case c.BaseURL != "":
	case c.Username == "sandbox":
		c.BaseURL = "https://api.sandbox.africastalking.com"
	default:
		c.BaseURL = "https://api.africastalking.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("version1", "messaging").String()
	if s.networks, err = httpreport.ParseNetworks("allow_from", c.AllowFrom); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
