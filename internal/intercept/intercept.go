// Package intercept lets a program that has Twilio's host built in reach a verifyd on the same machine:
// it is what `verifyd run` and the alias of `verifyd dev` are made of.
//
// Proxy is a CONNECT proxy that leads connections for verify.twilio.com to verifyd and every other one to
// where it wants to go. It reads neither: verifyd itself ends the TLS, with a certificate that an
// Authority on this machine signs, and Environ prepares the environment of a command so that it finds
// the one and trusts the other.
//
// A connection for one of the names never leaves the machine: it reaches verifyd or it fails. The
// authority can vouch for nothing but names of twilio.com, and its key stays in the data folder.
//
// It is not for production, and no proxy for others: it serves connections of this machine alone.
package intercept

import "strings"

// The host of the Verify API. Client libraries that are given an edge or a region put it in the middle:
// verify.us1.twilio.com, verify.sydney.au1.twilio.com.
const (
	Host    = "verify.twilio.com"
	product = "verify."
	domain  = ".twilio.com"
)

// Diverts reports whether a host name is one of the Verify API: verify.twilio.com, with anything in its
// middle. Case and a dot at the end do not matter, as they do not to DNS.
func Diverts(host string) bool {
	host = fold(host)
	return strings.HasPrefix(host, product) && strings.HasSuffix(host, domain) && plain(host)
}

func fold(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// plain reports whether a name has the characters of host names alone, and no empty label. Others could
// mean something else to whoever resolves them.
func plain(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return len(host) <= 253
}
