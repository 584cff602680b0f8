package httpapi

import "github.com/verifyd/verifyd/provider/httpsend"

// Config is the [providers.X] table of a provider of type "httpapi".
type Config struct {
	// URL is the base of the gateway's API; messages are posted to URL + "/v1/send".
	URL string `json:"url"`
	// Secret signs the requests: "whsec_" and base64, or a text of 16 characters or more.
	Secret string `json:"secret"`
	// Timeout is the limit for one message, from dialling to the end of the answer: "10s".
	Timeout string `json:"timeout"`
	// From is the sender for messages whose route names none.
	From string `json:"from"`
	// Headers are sent along, an Authorization for a proxy in between for instance.
	Headers map[string]string `json:"headers"`
	// AllowPlainHTTP permits http:// to hosts other than this one. Codes then cross the network
	// in the clear.
	AllowPlainHTTP bool `json:"allow_plain_http"`
}

// endpoint is where messages are posted.
func (c Config) endpoint() (string, error) {
	u, err := httpsend.ParseBase("url", c.URL, c.AllowPlainHTTP)
	if err != nil {
		return "", err
	}
	return u.JoinPath("v1", "send").String(), nil
}

// ours are the headers that the contract gives a meaning.
var ours = []string{"Accept", "Content-Type", "Idempotency-Key", "User-Agent", HeaderID, HeaderTimestamp, HeaderSignature}
