package operator

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The names of the environment.
const (
	envURL     = "VERIFYD_URL"
	envAccount = "TWILIO_ACCOUNT_SID"
	envToken   = "TWILIO_AUTH_TOKEN"
)

// Server is where flags say that the server is, and as whom to speak to it.
type Server struct {
	url, account, token, data string
}

// serverFlags are the names of the flags that ServerFlags makes.
var serverFlags = []string{"url", "account", "token", "data"}

// ServerFlags makes the flags that say where the server is.
func ServerFlags(flags *flag.FlagSet) *Server {
	var s Server
	flags.StringVar(&s.url, "url", "", "the `address` of the server, else "+envURL+", else that of the verifyd dev that runs here")
	flags.StringVar(&s.account, "account", "", "the `SID` of the account or of an API key, else "+envAccount)
	flags.StringVar(&s.token, "token", "", "the auth token or the `secret` of the API key, else "+envToken+", which others on this machine cannot read")
	flags.StringVar(&s.data, "data", "", "the data `folder` of the verifyd dev to speak to")
	return &s
}

// Find finds the server: that of --url, that of the data folder of --data, that of the environment,
// that of the usual data folder. An address and its credentials belong together: those of a
// verifyd dev go nowhere else, and those of the environment, which may be an account at Twilio, do
// not go to a verifyd dev, which is told by its data folder who it works for.
func (s *Server) Find(getenv func(string) (string, bool), usualData string) (*Client, error) {
	env := func(name string) string {
		value, _ := getenv(name)
		return value
	}
	switch {
	case s.url != "" && s.data != "":
		return nil, Misuse("--url and --data say two servers")
	case s.url != "":
		return s.elsewhere(s.url, env, "is --url right, and does the server run?")
	case s.data != "":
		return s.dev(s.data)
	case env(envURL) != "":
		return s.elsewhere(env(envURL), env, "is "+envURL+" right, and does the server run?")
	default:
		return s.dev(usualData)
	}
}

func (s *Server) elsewhere(address string, env func(string) string, hint string) (*Client, error) {
	account, accountFrom := s.account, "--account"
	if account == "" {
		account, accountFrom = env(envAccount), envAccount
	}
	token, tokenFrom := s.token, "--token"
	if token == "" {
		token, tokenFrom = env(envToken), envToken
	}
	switch {
	case account == "":
		return nil, fmt.Errorf("the account is missing: set %s, or give --account", envAccount)
	case token == "":
		return nil, fmt.Errorf("the auth token is missing: set %s, or give --token", envToken)
	}
	return newClient(address, account, token, "of "+accountFrom+" and "+tokenFrom, hint)
}

func (s *Server) dev(data string) (*Client, error) {
	dev, err := ReadDev(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no verifyd dev runs on the data folder %s; start one, or say where a server is with --url or %s", data, envURL)
	}
	if err != nil {
		return nil, err
	}
	source := "of the data folder " + data
	account, token := dev.AccountSID, dev.AuthToken
	if s.account != "" || s.token != "" {
		if s.account == "" || s.token == "" {
			return nil, Misuse("--account and --token belong together")
		}
		account, token, source = s.account, s.token, "of --account and --token"
	}
	return newClient(dev.URL, account, token, source, "the verifyd dev of the data folder "+data+" was there; does it still run?")
}

// Dev is what a verifyd dev leaves in its data folder for as long as it runs, so that commands find
// it without being told anything. The key file beside it would give the token as well.
type Dev struct {
	URL        string `json:"url"`
	AccountSID string `json:"account_sid"`
	AuthToken  string `json:"auth_token"`
	ServiceSID string `json:"service_sid"`
	// TLS is the address, host:port, at which it answers as verify.twilio.com.
	TLS string `json:"tls"`
	// Borrowed says that account and token are from its environment, and so perhaps somebody else's too.
	Borrowed bool `json:"borrowed"`
}

// devFile is the file of a Dev in a data folder.
const devFile = "running.json"

// Announce writes the file. withdraw removes it, unless another server has written its own by then.
func (d Dev) Announce(data string) (withdraw func() error, err error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(data, devFile)
	fresh := path + ".new" // nobody reads half a file
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return nil, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, err
	}
	return func() error {
		now, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(now, text) {
			return nil
		}
		return errors.Join(err, os.Remove(path))
	}, nil
}

// ReadDev reads what a verifyd dev has announced in a data folder; fs.ErrNotExist where none runs. One that
// was killed has left it as well.
func ReadDev(data string) (Dev, error) {
	var d Dev
	text, err := os.ReadFile(filepath.Join(data, devFile))
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("%s of the data folder %s: %w; start verifyd dev again", devFile, data, err)
	}
	return d, nil
}
