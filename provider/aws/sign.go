package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider/httpreport"
)

// credentials sign requests. They do not show themselves when printed.
type credentials struct{ accessKeyID, secretAccessKey, sessionToken string }

// String keeps the secret out of logs and errors.
func (credentials) String() string { return "[credentials]" }

// GoString does so for %#v.
func (credentials) GoString() string { return "[credentials]" }

// sign adds X-Amz-Date and Authorization to the header of a POST without a query, by Signature
// Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. Every
// header that is there is signed.
func (c credentials) sign(h http.Header, u *url.URL, body []byte, region, service string, now time.Time) {
	timestamp := now.UTC().Format("20060102T150405Z")
	h.Set("X-Amz-Date", timestamp)
	if c.sessionToken != "" {
		h.Set("X-Amz-Security-Token", c.sessionToken)
	}
	values := map[string]string{"host": u.Host}
	for name := range h {
		values[strings.ToLower(name)] = strings.TrimSpace(h.Get(name))
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	signed := strings.Join(names, ";")

	canonical := "POST\n" + u.EscapedPath() + "\n\n"
	for _, name := range names {
		canonical += name + ":" + values[name] + "\n"
	}
	canonical += "\n" + signed + "\n" + hash(string(body))

	scope := strings.Join([]string{timestamp[:8], region, service, "aws4_request"}, "/")
	key := []byte("AWS4" + c.secretAccessKey)
	for part := range strings.SplitSeq(scope, "/") {
		key = httpreport.MAC(sha256.New, string(key), part)
	}
	signature := httpreport.MAC(sha256.New, string(key), "AWS4-HMAC-SHA256\n"+timestamp+"\n"+scope+"\n"+hash(canonical))
	h.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.accessKeyID+"/"+scope+
		", SignedHeaders="+signed+", Signature="+hex.EncodeToString(signature))
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
