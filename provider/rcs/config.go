package rcs

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider/googleauth"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// Config is the [providers.X] table of a provider of type "rcs".
type Config struct {
	// CredentialsFile is the path of the service account's key file, as Google hands it out.
	CredentialsFile string `json:"credentials_file"`
	// Credentials is the text of that file, in the place of its path.
	Credentials string `json:"credentials"`
	// AgentID is the agent's identifier, as the console shows it.
	AgentID string `json:"agent_id"`
	// Region is where the agent was made: "us", "europe" or "asia".
	Region string `json:"region"`
	// ClientToken proves the events of the webhook; the console shows it where the webhook is set up.
	// Without it none is believed.
	ClientToken string `json:"client_token"`
	// TTL is how long a message waits for a telephone that is switched off: "60s". The code's life, if
	// that is shorter or TTL is empty.
	TTL string `json:"ttl"`
	// TrafficType is what the messages are to an agent for many uses: "AUTHENTICATION" unless it is set.
	TrafficType string `json:"traffic_type"`
	// CheckCapability asks whether RCS reaches a telephone before its code leaves the house. It costs a
	// request for each message.
	CheckCapability bool `json:"check_capability"`
	// BaseURL is where the API is, for tests and proxies, in the place of Region.
	BaseURL string `json:"base_url"`
	// TokenURL is where access tokens are asked for; what the key file says, unless it is set.
	TokenURL string `json:"token_url"`
	// Timeout is the limit for one message, the access token included: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	account     googleauth.Account
	agent       string
	base        string // without a slash at its end
	tokenURL    string // "" for that of the key file
	clientToken string
	ttl         time.Duration
	trafficType string
	asksFirst   bool
	timeout     time.Duration
}

// regions are the bases of the API, which has no other.
var regions = map[string]string{
	"us":     "https://us-rcsbusinessmessaging.googleapis.com",
	"europe": "https://europe-rcsbusinessmessaging.googleapis.com",
	"asia":   "https://asia-rcsbusinessmessaging.googleapis.com",
}

// trafficTypes are those of AgentMessage that a code may have.
var trafficTypes = []string{"AUTHENTICATION", "TRANSACTION"}

// agentID is the grammar of an agent's identifier; with the domain, as the console shows it, or without.
var agentID = regexp.MustCompile(`^[A-Za-z0-9_.-]+(@rbm\.goog)?$`)

// trimDomain takes away what some pages of the console write behind an agent's identifier.
func trimDomain(agent string) string { return strings.TrimSuffix(agent, "@rbm.goog") }

// maxTTL is longer than any code lives, and shorter than the fifteen days that Google allows.
const maxTTL = 24 * time.Hour

func (c Config) settings() (settings, error) {
	account, err := googleauth.Read(c.CredentialsFile, c.Credentials)
	if err != nil {
		return settings{}, err
	}
	s := settings{
		account: account, agent: trimDomain(c.AgentID), clientToken: c.ClientToken,
		ttl: maxTTL, trafficType: c.TrafficType, asksFirst: c.CheckCapability,
	}
	if !agentID.MatchString(c.AgentID) {
		return s, errors.New("agent_id is missing, or not the identifier of an agent")
	}
	if c.BaseURL == "" {
		if c.BaseURL = regions[c.Region]; c.BaseURL == "" {
			return s, fmt.Errorf("region: %q is none of %s", c.Region, strings.Join(slices.Sorted(maps.Keys(regions)), ", "))
		}
	}
	base, err := googleauth.ParseBase("base_url", c.BaseURL)
	if err != nil {
		return s, err
	}
	s.base = strings.TrimSuffix(base.String(), "/")
	if c.TokenURL != "" {
		tokenURL, err := googleauth.ParseBase("token_url", c.TokenURL)
		if err != nil {
			return s, err
		}
		s.tokenURL = tokenURL.String()
	}
	if c.TTL != "" {
		if s.ttl, err = time.ParseDuration(c.TTL); err != nil || s.ttl < minTTL || s.ttl > maxTTL {
			return s, fmt.Errorf("ttl: want a duration from %s to %s, such as \"60s\"", minTTL, maxTTL)
		}
	}
	if s.trafficType == "" {
		s.trafficType = trafficTypes[0]
	}
	if !slices.Contains(trafficTypes, s.trafficType) {
		return s, fmt.Errorf("traffic_type: %q is none of %s", c.TrafficType, strings.Join(trafficTypes, ", "))
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
