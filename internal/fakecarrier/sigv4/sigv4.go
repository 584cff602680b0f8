// Package sigv4 takes the signatures of requests to AWS apart and makes them again, for the fakes that stand
// in for AWS. It is their own reading of Signature Version 4, beside that of the providers: two that agree say
// more than one that agrees with itself.
//
// It holds the algorithm and no policy. Whose key it is, for which service, and how old it may be is for the
// fake to judge, because its refusals are as telling as those of the real one.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Signature is one that was taken apart, and that nobody has checked yet.
type Signature struct {
	KeyID           string
	Region, Service string    // "eu-west-1", "ses"
	At              time.Time // when it was made

	stamp, scope string
	names        []string // of the headers that are signed
	mac          []byte
}

// ErrMissing is of a request without a signature of this kind.
var ErrMissing = errors.New("there is no signature of version 4")

const (
	algorithm   = "AWS4-HMAC-SHA256"
	stampLayout = "20060102T150405Z"
)

// Parse takes the signature in the headers of a request apart
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html).
func Parse(h http.Header) (Signature, error) {
	fields, found := strings.CutPrefix(h.Get("Authorization"), algorithm+" ")
	if !found {
		return Signature{}, ErrMissing
	}
	given := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		given[name] = value
	}
	s := Signature{stamp: h.Get("X-Amz-Date"), names: strings.Split(given["SignedHeaders"], ";")}
	var err error
	if s.At, err = time.Parse(stampLayout, s.stamp); err != nil {
		return Signature{}, errors.New("the header X-Amz-Date is no time")
	}
	s.KeyID, s.scope, _ = strings.Cut(given["Credential"], "/")
	scope := strings.Split(s.scope, "/")
	if len(scope) != 4 || scope[0] != s.stamp[:8] || scope[3] != "aws4_request" {
		return Signature{}, errors.New("the credential is not scoped to a date, a region, a service and aws4_request")
	}
	s.Region, s.Service = scope[1], scope[2]
	if s.mac, err = hex.DecodeString(given["Signature"]); err != nil || len(s.mac) != sha256.Size {
		return Signature{}, errors.New("the signature is not that of SHA-256 in hexadecimal digits")
	}
	if !slices.IsSorted(s.names) {
		return Signature{}, errors.New("the names of the signed headers are not sorted")
	}
	for name := range h {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.names, name) {
			return Signature{}, fmt.Errorf("%s is not signed", name)
		}
	}
	if !slices.Contains(s.names, "host") {
		return Signature{}, errors.New("host is not signed")
	}
	return s, nil
}

// SignedBy says that the secret of the key made the signature, over this request and body. The path and the
// query are taken as they were asked for: no call that a fake takes has one to encode or to sort.
func (s Signature) SignedBy(secret string, r *http.Request, body []byte) bool {
	path, query, _ := strings.Cut(r.RequestURI, "?") // r.URL may have lost a prefix on the way here
	var canonical strings.Builder
	fmt.Fprintf(&canonical, "%s\n%s\n%s\n", r.Method, path, query)
	for _, name := range s.names {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		fmt.Fprintf(&canonical, "%s:%s\n", name, strings.TrimSpace(value))
	}
	fmt.Fprintf(&canonical, "\n%s\n%x", strings.Join(s.names, ";"), sha256.Sum256(body))

	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(s.scope, "/") {
		key = mac(key, part)
	}
	sum := sha256.Sum256([]byte(canonical.String()))
	return hmac.Equal(s.mac, mac(key, algorithm+"\n"+s.stamp+"\n"+s.scope+"\n"+hex.EncodeToString(sum[:])))
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
