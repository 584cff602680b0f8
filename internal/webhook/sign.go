package webhook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sign computes X-Twilio-Signature as the validators of Twilio's libraries do: base64 of HMAC-SHA-1, by
// the account's auth token, over the URL as it is called and each parameter of the form with its value,
// in the order of the names.
func Sign(token, target string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(target))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		mac.Write([]byte(name + form.Get(name)))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// SignJSON computes X-Twilio-Signature for a body of JSON: of the URL alone, to which the SHA-256 of the body
// has been added as bodySHA256. called is that URL, which is to be called.
func SignJSON(token, target, body string) (signature, called string) {
	mark := "?"
	if strings.Contains(target, "?") {
		mark = "&"
	}
	hash := sha256.Sum256([]byte(body))
	called = target + mark + "bodySHA256=" + hex.EncodeToString(hash[:])
	return Sign(token, called, nil), called
}

// signStandard sets the headers of Standard Webhooks 1.0.0 (https://www.standardwebhooks.com). The key is
// the secret's bytes, or what follows whsec_ in base64.
func signStandard(h http.Header, key []byte, id string, at time.Time, body string) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", timestamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
