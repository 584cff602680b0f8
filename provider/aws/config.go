package aws

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/verifyd/verifyd/provider/httpsend"
	"github.com/verifyd/verifyd/provider/sigv4"
)

// Config is the [providers.X] table of a provider of type "aws".
type Config struct {
	// Region is that of End User Messaging: "eu-west-1".
	Region          string `json:"region"`
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	// SessionToken goes with temporary credentials, which somebody else keeps fresh.
	SessionToken string `json:"session_token"`
	// From is the origination identity for messages whose route names none: a number, a sender ID,
	// a pool. Empty lets AWS choose.
	From string `json:"from"`
	// ConfigurationSet publishes the events of a message.
	ConfigurationSet string `json:"configuration_set"`
	// TopicARN is the SNS topic that calls this provider's reports; no other is believed.
	TopicARN string `json:"topic_arn"`
	// BaseURL is https://sms-voice.REGION.amazonaws.com unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint         *url.URL
	region           string
	credentials      sigv4.Credentials
	from             string
	configurationSet string
	timeout          time.Duration
}

var region = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

func (c Config) settings() (settings, error) {
	s := settings{
		region: c.Region, credentials: sigv4.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken},
		from: c.From, configurationSet: c.ConfigurationSet,
	}
	if !region.MatchString(c.Region) {
		return s, fmt.Errorf("region %q is not of the form eu-west-1", c.Region)
	}
	if err := httpsend.Require("access_key_id", c.AccessKeyID, "secret_access_key", c.SecretAccessKey); err != nil {
		return s, err
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://sms-voice." + c.Region + ".amazonaws.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("/")
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
