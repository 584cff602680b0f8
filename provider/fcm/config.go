package fcm

import (
	"errors"
	"net/url"
	"regexp"
	"time"

	"github.com/verifyd/verifyd/provider/googleauth"
	"github.com/verifyd/verifyd/provider/httpsend"
)

const (
	firebase = "https://fcm.googleapis.com"
	scope    = "https://www.googleapis.com/auth/firebase.messaging"
)

// Config is the [providers.X] table of a provider of type "fcm".
type Config struct {
	// CredentialsFile is the path of the service account's key file, as Google hands it out.
	CredentialsFile string `json:"credentials_file"`
	// Credentials is the text of that file, in the place of its path.
	Credentials string `json:"credentials"`
	// Project is the Firebase project; that of the key file, unless it is set.
	Project string `json:"project"`
	// BaseURL is where Firebase is, for tests and proxies.
	BaseURL string `json:"base_url"`
	// TokenURL is where access tokens are asked for; what the key file says, unless it is set.
	TokenURL string `json:"token_url"`
	// Timeout is the limit for one notification, the access token included: "10s".
	Timeout string `json:"timeout"`
}

// settings is a Config that was found good.
type settings struct {
	account  googleauth.Account
	project  string
	base     *url.URL
	tokenURL string // "" for that of the key file
	timeout  time.Duration
}

// project is the grammar of a project's identifier, and of the number that may stand in its place.
var project = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]*$`)

func (c Config) settings() (settings, error) {
	account, err := googleauth.Read(c.CredentialsFile, c.Credentials)
	if err != nil {
		return settings{}, err
	}
	s := settings{account: account, project: c.Project}
	if s.project == "" {
		s.project = account.Project
	}
	if !project.MatchString(s.project) {
		return settings{}, errors.New("project is missing, or not the identifier of a Firebase project")
	}
	if c.BaseURL == "" {
		c.BaseURL = firebase
	}
	if s.base, err = googleauth.ParseBase("base_url", c.BaseURL); err != nil {
		return settings{}, err
	}
	if c.TokenURL != "" {
		tokenURL, err := googleauth.ParseBase("token_url", c.TokenURL)
		if err != nil {
			return settings{}, err
		}
		s.tokenURL = tokenURL.String()
	}
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}
