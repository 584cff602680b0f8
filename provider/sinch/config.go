package sinch

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "sinch".
type Config struct {
	ServicePlanID string `json:"service_plan_id"`
	APIToken      string `json:"api_token"`
	// Region is that of the plan: "us" (or empty), "eu", "au", "br", "ca".
	Region string `json:"region"`
	// From is the sender for messages whose route names none; empty lets the plan choose.
	From string `json:"from"`
	// ApplicationKey and ApplicationSecret are those of an application of the Voice API, which makes calls.
	ApplicationKey    string `json:"application_key"`
	ApplicationSecret string `json:"application_secret"`
	// CallFrom is the number that calls come from; From, unless it is set.
	CallFrom string `json:"call_from"`
	// ReportURL is where Sinch reaches this provider's reports.
	ReportURL string `json:"report_url"`
	// WebhookSecret proves the reports of a plan that signs them.
	WebhookSecret string `json:"webhook_secret"`
	// AllowFrom are the networks that reports may come from, any where it is empty.
	AllowFrom []string `json:"allow_from"`
	// BaseURL is https://REGION.sms.api.sinch.com unless it is set.
	BaseURL string `json:"base_url"`
	// VoiceBaseURL is https://calling.api.sinch.com unless it is set.
	VoiceBaseURL string `json:"voice_base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint      string
	apiToken      string
	from          string
	reportURL     string
	webhookSecret string
	networks      httpreport.Networks
	voice         voice
	timeout       time.Duration
}

var region = regexp.MustCompile(`^[a-z]{2,4}$`)

func (c Config) settings() (settings, error) {
	s := settings{apiToken: c.APIToken, from: c.From, reportURL: c.ReportURL, webhookSecret: c.WebhookSecret}
	if err := httpsend.Require("service_plan_id", c.ServicePlanID, "api_token", c.APIToken); err != nil {
		return s, err
	}
	if c.Region == "" {
		c.Region = "us"
	}
	if !region.MatchString(c.Region) {
		return s, fmt.Errorf(`region %q is not of the form "eu"`, c.Region)
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://" + c.Region + ".sms.api.sinch.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("xms", "v1", url.PathEscape(c.ServicePlanID), "batches").String()
	if c.ReportURL != "" {
		if _, err := httpsend.ParseURL("report_url", c.ReportURL, false); err != nil {
			return s, err
		}
	}
	if s.voice, err = c.voice(); err != nil {
		return s, err
	}
	if s.networks, err = httpreport.ParseNetworks("allow_from", c.AllowFrom); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
