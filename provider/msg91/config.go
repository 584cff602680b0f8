package msg91

import (
	"fmt"
	"regexp"
	"time"

	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "msg91".
type Config struct {
	AuthKey string `json:"auth_key"`
	// TemplateID is that of the flow, which is bound to the registered template and its sender.
	TemplateID string `json:"template_id"`
	// CodeVariable is the flow's variable for the code, "otp" unless it is set.
	CodeVariable string `json:"code_variable"`
	// BrandVariable is its variable for the friendly name of the service, if it has one.
	BrandVariable string `json:"brand_variable"`
	// AllowFrom are the networks that reports may come from, any where it is empty.
	AllowFrom []string `json:"allow_from"`
	// BaseURL is https://control.msg91.com unless it is set.
	BaseURL string `json:"base_url"`
	// Timeout is the limit for one message: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	endpoint                    string
	authKey                     string
	templateID                  string
	codeVariable, brandVariable string
	networks                    httpreport.Networks
	timeout                     time.Duration
}

var variable = regexp.MustCompile(`^[A-Za-z0-9_]{1,40}$`)

func (c Config) settings() (settings, error) {
	s := settings{authKey: c.AuthKey, templateID: c.TemplateID, codeVariable: c.CodeVariable, brandVariable: c.BrandVariable}
	if err := httpsend.Require("auth_key", c.AuthKey, "template_id", c.TemplateID); err != nil {
		return s, err
	}
	if s.codeVariable == "" {
		s.codeVariable = "otp"
	}
	for key, name := range map[string]string{"code_variable": s.codeVariable, "brand_variable": s.brandVariable} {
		if name != "" && !variable.MatchString(name) || name == "mobiles" {
			return s, fmt.Errorf("%s: %q is not the name of a variable", key, name)
		}
	}
	if s.codeVariable == s.brandVariable {
		return s, fmt.Errorf("brand_variable is the code_variable too")
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://control.msg91.com"
	}
	base, err := httpsend.ParseBase("base_url", c.BaseURL, false)
	if err != nil {
		return s, err
	}
	s.endpoint = base.JoinPath("api", "v5", "flow").String()
	if s.networks, err = httpreport.ParseNetworks("allow_from", c.AllowFrom); err != nil {
		return s, err
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
