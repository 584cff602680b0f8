package whatsapp

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "whatsapp".
type Config struct {
	// PhoneNumberID is Meta's number for the business number, not that number itself.
	PhoneNumberID string `json:"phone_number_id"`
	// PhoneNumbers are Meta's numbers for the business numbers that a message may name as its sender,
	// {"+34612345678" = "106540352242922"}. Where there are none, all messages come from PhoneNumberID,
	// whatever they name.
	PhoneNumbers map[string]string `json:"phone_numbers"`
	// AccessToken is that of a system user with whatsapp_business_messaging.
	AccessToken string `json:"access_token"`
	// Template is the name of the registered template, "verification_code" unless it is set.
	Template string `json:"template"`
	// Languages are those that the template is approved in, ["en", "pt_BR"]; the first stands in
	// for any other. Where there are none, every language is asked for as it is.
	Languages []string `json:"languages"`
	// BusinessAccountID is that of the WhatsApp Business Account. It is asked by the doctor alone, for
	// the template's state.
	BusinessAccountID string `json:"business_account_id"`
	// AppSecret proves the webhooks.
	AppSecret string `json:"app_secret"`
	// VerifyToken is a word of your own, told to Meta together with the URL of the webhook.
	VerifyToken string `json:"verify_token"`
	// BaseURL is https://graph.facebook.com/v23.0 unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint        string            // of PhoneNumberID
	endpoints       map[string]string // of PhoneNumbers, by sender
	businessAccount string            // its URL, "" for none
	accessToken     string
	templateName    string
	languages       []string
	appSecret       string
	verifyToken     string
	timeout         time.Duration
}

var (
	sender       = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	numberID     = regexp.MustCompile(`^[0-9]{5,20}$`)
	languageCode = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2})?$`)
)

func (c Config) settings() (settings, error) {
	s := settings{
		accessToken: c.AccessToken, templateName: c.Template, languages: c.Languages,
		appSecret: c.AppSecret, verifyToken: c.VerifyToken,
	}
	if !numberID.MatchString(c.PhoneNumberID) {
		return s, errors.New("phone_number_id is not a row of digits: it is Meta's number for yours, and stands beside it in the app")
	}
	for from, id := range c.PhoneNumbers {
		if !sender.MatchString(from) || !numberID.MatchString(id) {
			return s, fmt.Errorf("phone_numbers: %q = %q is not a number in E.164 and Meta's number for it", from, id)
		}
	}
	if err := httpsend.Require("access_token", c.AccessToken); err != nil {
		return s, err
	}
	for _, l := range c.Languages {
		if !languageCode.MatchString(l) {
			return s, fmt.Errorf("languages: %q is not of the form pt_BR", l)
		}
	}
	if (c.AppSecret == "") != (c.VerifyToken == "") {
		return s, errors.New("app_secret and verify_token go together: the webhook needs both")
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://graph.facebook.com/v23.0"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath(c.PhoneNumberID, "messages").String()
	if c.BusinessAccountID != "" {
		if !numberID.MatchString(c.BusinessAccountID) {
			return s, errors.New("business_account_id is not a row of digits: it stands beside phone_number_id in the app")
		}
		s.businessAccount = base.JoinPath(c.BusinessAccountID).String()
	}
	s.endpoints = map[string]string{}
	for from, id := range c.PhoneNumbers {
		s.endpoints[from] = base.JoinPath(id, "messages").String()
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
