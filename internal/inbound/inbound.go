// Package inbound serves the URLs that carriers call to say what became of a message. It knows which
// provider a call is for and that the caller was told the URL; everything else, above all the proof that
// it is the carrier, is the provider's.
//
// A URL is /reports/PROVIDER/SECRET. The secret comes from the root keys, so that every node knows it
// and nobody has to set it; for a carrier that signs nothing it is the only proof. What follows the
// secret is the provider's own.
package inbound

import (
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/provider"
)

// Prefix is what the paths of reports begin with.
const Prefix = "/reports/"

// maxBody is what a call may bring: SendGrid reports of a thousand mails at once, of 768 kB.
const maxBody = 1 << 20

// Path is where the reports of a provider come in.
func Path(keys *keyring.Ring, name string) string {
	return Prefix + url.PathEscape(name) + "/" + base64.RawURLEncoding.EncodeToString(keys.MAC(keyring.ReportMAC, name))
}

// Reports serves the paths below Prefix.
type Reports struct {
	Keys      *keyring.Ring
	Providers map[string]provider.Provider
	Log       *slog.Logger
}

// ServeHTTP hands a call to the provider that its path names. A call that does not know the secret is
// told as little as one for a provider that is not there.
func (h Reports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reporter := h.find(r.URL.EscapedPath())
	if reporter == nil {
		h.Log.Debug("a report for nobody", "method", r.Method)
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	reporter.ServeReport(w, r)
}

func (h Reports) find(path string) provider.Reporter {
	rest, ok := strings.CutPrefix(path, Prefix)
	if !ok {
		return nil
	}
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) < 2 {
		return nil
	}
	name, err := url.PathUnescape(parts[0])
	if err != nil {
		return nil
	}
	secret, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !h.Keys.MatchesMAC(secret, keyring.ReportMAC, name) {
		return nil
	}
	reporter, _ := h.Providers[name].(provider.Reporter)
	return reporter
}
