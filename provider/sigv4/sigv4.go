// Package sigv4 signs requests to AWS by Signature Version 4, for the providers that call it.
//
// It signs every header that a request has, and requests without a query alone: no API that a message
// goes by has one.
package sigv4

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

// Credentials sign requests. They do not show themselves when printed.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // of temporary credentials, "" for none
}

// String keeps the secret out of logs and errors.
func (Credentials) String() string { return "[credentials]" }

// GoString does so for %#v.
func (Credentials) GoString() string { return "[credentials]" }

// Service is what a request is for.
type Service struct {
	Region string // "eu-west-1"
	Name   string // "ses"
}

// Sign adds X-Amz-Date and Authorization to the header of a request without a query,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. Every header that is
// there is signed. The time must be right within five minutes.
func (c Credentials) Sign(method string, u *url.URL, h http.Header, body []byte, of Service, now time.Time) {
	timestamp := now.UTC().Format("20060102T150405Z")
	h.Set("X-Amz-Date", timestamp)
	if c.SessionToken != "" {
		h.Set("X-Amz-Security-Token", c.SessionToken)
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

	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/") { // of a URL that was joined to a bare host; the wire has the slash
		path = "/" + path
	}
	canonical := method + "\n" + path + "\n\n"
	for _, name := range names {
		canonical += name + ":" + values[name] + "\n"
	}
	canonical += "\n" + signed + "\n" + hash(string(body))

	scope := strings.Join([]string{timestamp[:8], of.Region, of.Name, "aws4_request"}, "/")
	key := []byte("AWS4" + c.SecretAccessKey)
	for part := range strings.SplitSeq(scope, "/") {
		key = httpreport.MAC(sha256.New, string(key), part)
	}
	signature := httpreport.MAC(sha256.New, string(key), "AWS4-HMAC-SHA256\n"+timestamp+"\n"+scope+"\n"+hash(canonical))
	h.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.AccessKeyID+"/"+scope+
		", SignedHeaders="+signed+", Signature="+hex.EncodeToString(signature))
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
