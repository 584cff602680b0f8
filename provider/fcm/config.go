package fcm

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider/httpsend"
)

const (
	firebase = "https://fcm.googleapis.com"
	// google is the token endpoint, where the key file names none.
	google = "https://oauth2.googleapis.com/token"
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
	account  account
	project  string
	base     *url.URL
	tokenURL string
	timeout  time.Duration
}

// account is who sends: a service account of Google's.
type account struct {
	email    string
	key      *rsa.PrivateKey
	keyID    string
	pem      string // key as it was written
	audience string // of its assertions
}

// project is the grammar of a project's identifier, and of the number that may stand in its place.
var project = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]*$`)

func (c Config) settings() (settings, error) {
	key, file, err := c.keyFile()
	if err != nil {
		return settings{}, err
	}
	s := settings{project: c.Project}
	if s.account, err = file.account(); err != nil {
		return settings{}, fmt.Errorf("%s: %w", key, err)
	}
	if s.project == "" {
		s.project = file.ProjectID
	}
	if !project.MatchString(s.project) {
		return settings{}, errors.New("project is missing, or not the identifier of a Firebase project")
	}
	if c.BaseURL == "" {
		c.BaseURL = firebase
	}
	if s.base, err = parseBase("base_url", c.BaseURL); err != nil {
		return settings{}, err
	}
	if c.TokenURL == "" {
		c.TokenURL = s.account.audience
	}
	tokenURL, err := parseBase("token_url", c.TokenURL)
	if err != nil {
		return settings{}, err
	}
	s.tokenURL = tokenURL.String()
	s.timeout, err = httpsend.ParseTimeout(c.Timeout)
	return s, err
}

// parseBase wants https, but to this host.
func parseBase(key, setting string) (*url.URL, error) {
	u, err := httpsend.ParseBase(key, setting, true)
	if err != nil {
		return nil, err
	}
	if _, err := httpsend.ParseBase(key, setting, false); err != nil {
		return nil, fmt.Errorf("%s: plain http is for this host alone, and %s is another", key, u.Hostname())
	}
	return u, nil
}

// keyFile is the file that Google's console hands out for a service account.
type keyFile struct {
	Type         string `json:"type"`
	ProjectID    string `json:"project_id"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"`
	ClientEmail  string `json:"client_email"`
	TokenURI     string `json:"token_uri"`
}

// keyFile reads the one of the two settings that is there, and says which it was.
func (c Config) keyFile() (key string, file keyFile, err error) {
	text := []byte(c.Credentials)
	key = "credentials"
	switch {
	case c.Credentials != "" && c.CredentialsFile != "":
		return key, file, errors.New("credentials and credentials_file are both set: one is enough")
	case c.CredentialsFile != "":
		key = "credentials_file"
		if text, err = os.ReadFile(c.CredentialsFile); err != nil {
			return key, file, fmt.Errorf("credentials_file: %w", err)
		}
	case c.Credentials == "":
		return key, file, errors.New("credentials_file is missing: the key file of a service account")
	}
	// The error of the decoder may quote the text.
	if json.Unmarshal(text, &file) != nil {
		return key, file, fmt.Errorf("%s is not the JSON key file of a service account", key)
	}
	return key, file, nil
}

// account never repeats what is in the file in an error.
func (f keyFile) account() (account, error) {
	a := account{email: f.ClientEmail, keyID: f.PrivateKeyID, pem: f.PrivateKey, audience: f.TokenURI}
	if a.audience == "" {
		a.audience = google
	}
	switch {
	case f.Type != "service_account":
		return a, errors.New(`its type is not "service_account": it is another kind of file of Google's`)
	case f.ClientEmail == "":
		return a, errors.New("client_email is missing in it")
	case f.PrivateKey == "":
		return a, errors.New("private_key is missing in it")
	}
	if _, err := parseBase("token_uri in it", a.audience); err != nil {
		return a, err
	}
	var ok bool
	if a.key, ok = parseKey(f.PrivateKey); !ok {
		return a, errors.New("private_key in it is not an RSA key in PEM")
	}
	return a, nil
}

// parseKey takes the two forms in which Google has written keys.
func parseKey(text string) (*rsa.PrivateKey, bool) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, false
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, true
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, false
	}
	key, ok := any.(*rsa.PrivateKey)
	return key, ok
}

// secrets are the key in the forms in which it might be repeated: whole, and line by line.
func (a account) secrets() []string {
	all := []string{a.pem}
	for line := range strings.Lines(a.pem) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "-----") {
			all = append(all, line)
		}
	}
	return all
}
