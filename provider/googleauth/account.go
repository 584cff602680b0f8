package googleauth

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/verifyd/verifyd/provider/httpsend"
)

// google is the token endpoint, where the key file names none.
const google = "https://oauth2.googleapis.com/token"

// Account is a service account of Google's, as its key file describes it.
type Account struct {
	// Project is the identifier of the project that the account belongs to.
	Project string

	email    string
	key      *rsa.PrivateKey
	keyID    string
	pem      string // key as it was written
	audience string // of its assertions
}

// Read takes the account from the one of two settings that is there: "credentials_file", the path of the
// key file as Google's console hands it out, and "credentials", its text. An error names the setting and
// repeats nothing of the file.
func Read(credentialsFile, credentials string) (Account, error) {
	key, file, err := readKeyFile(credentialsFile, credentials)
	if err != nil {
		return Account{}, err
	}
	a, err := file.account()
	if err != nil {
		return Account{}, fmt.Errorf("%s: %w", key, err)
	}
	return a, nil
}

// ParseBase reads the setting of a stand-in for an API of Google's: https, unless the host is this one.
func ParseBase(key, setting string) (*url.URL, error) {
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

// readKeyFile also says which setting it was.
func readKeyFile(path, credentials string) (key string, file keyFile, err error) {
	text := []byte(credentials)
	key = "credentials"
	switch {
	case credentials != "" && path != "":
		return key, file, errors.New("credentials and credentials_file are both set: one is enough")
	case path != "":
		key = "credentials_file"
		if text, err = os.ReadFile(path); err != nil {
			return key, file, fmt.Errorf("credentials_file: %w", err)
		}
	case credentials == "":
		return key, file, errors.New("credentials_file is missing: the key file of a service account")
	}
	// The error of the decoder may quote the text.
	if json.Unmarshal(text, &file) != nil {
		return key, file, fmt.Errorf("%s is not the JSON key file of a service account", key)
	}
	return key, file, nil
}

// account never repeats what is in the file in an error.
func (f keyFile) account() (Account, error) {
	a := Account{Project: f.ProjectID, email: f.ClientEmail, keyID: f.PrivateKeyID, pem: f.PrivateKey, audience: f.TokenURI}
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
	if _, err := ParseBase("token_uri in it", a.audience); err != nil {
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

// Secrets are the key in the forms in which it might be repeated: whole, and line by line.
func (a Account) Secrets() []string {
	all := []string{a.pem}
	for line := range strings.Lines(a.pem) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "-----") {
			all = append(all, line)
		}
	}
	return all
}
