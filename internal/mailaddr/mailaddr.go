// Package mailaddr reads the e-mail addresses that codes are sent to.
//
// It is stricter than RFC 5322 on purpose. An address goes into an SMTP envelope, a log and a
// unique index, so it must be one plain addr-spec: no display name, no comment, no quoting, no
// list.
package mailaddr

import (
	"strings"
)

// maxLength is the longest address that fits an SMTP path (RFC 5321, 4.5.3.1.3, less the angle
// brackets).
const maxLength = 254

// Parse reads an address. Address is the text to send to and to show: trimmed, its domain in lower
// case, otherwise as it came. Key is the form to compare by: ASCII letters folded and nothing else.
// A Unicode fold would map the Kelvin sign to k and hand a victim's code to a look-alike address.
func Parse(s string) (address, key string, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxLength {
		return "", "", false
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || !validLocal(local) || !validDomain(domain) {
		return "", "", false
	}
	address = local + "@" + lower(domain)
	return address, lower(address), true
}

// Mailbox is a key without what follows a plus sign in its local part: most mail servers deliver all of
// them to one mailbox. It is for counting alone; two addresses stay two recipients.
func Mailbox(key string) string {
	local, domain, _ := strings.Cut(key, "@")
	mailbox, _, tagged := strings.Cut(local, "+")
	if !tagged || mailbox == "" {
		return key
	}
	return mailbox + "@" + domain
}

// validLocal accepts an ASCII dot-atom (RFC 5321 4.1.2) of at most 64 bytes.
func validLocal(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) && !strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", rune(c)) {
			return false
		}
	}
	return true
}

// validDomain accepts a host name of at least two labels in its ASCII form (A-labels for
// internationalised names).
func validDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return len(last) >= 2 && strings.Trim(last, "0123456789") != ""
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// lower folds ASCII letters alone.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
