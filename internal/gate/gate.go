// Package gate keeps web pages away from what a server shows without asking for a password. Whoever sits at
// the machine may see and change it, but the browser there also runs pages of strangers, and it reaches every
// server that the machine reaches.
//
// A page of a stranger has two ways in, and the gate closes both. It may have the browser send a request that
// changes something, though the answer stays hidden from it: such a request comes from another origin and is
// refused. Or it may come from a name whose owner has it lead to this machine a moment later (DNS rebinding),
// and then the browser takes server and page for one. But the request still says that name in its Host header,
// and names that a stranger can own are refused, unless the server was told that they are its own.
//
// It is no password: a program that reaches the port is let in.
package gate

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// Flag is the flag with which a server is told its names: a refusal speaks of it.
const Flag = "hosts"

// private are the ends of names that nobody can own on the web: RFC 6761 (localhost, test), RFC 6762 (local;
// cluster.local of Kubernetes is below it), the end that ICANN has set aside for private use (internal), and the
// one that resolvers of Linux add.
var private = []string{".localhost", ".test", ".local", ".internal", ".localdomain"}

// shape is that of a host name in small letters. Container names have underscores.
var shape = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)

// Gate is who is let in. The zero value lacks Refuse alone.
type Gate struct {
	// Hosts are what the server is called beside the names that every machine may have, each with or without a
	// port. What is no name of a host means nothing.
	Hosts []string
	// Also, if it is not nil, reports whether the server has this name too, which is in the form that Name
	// answers.
	Also func(name string) bool
	// Refuse answers a request that is not let in: with status 403, in the format of the server.
	Refuse func(w http.ResponseWriter, text string)
}

// Before is h behind the gate.
func (g Gate) Before(h http.Handler) http.Handler {
	own := map[string]bool{}
	for _, host := range g.Hosts {
		if name, ok := Name(host); ok {
			own[name] = true
		}
	}
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.Refuse(w, "Cross-origin requests are refused")
	}))
	inside := origins.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := Name(r.Host)
		switch {
		case !ok:
			g.Refuse(w, fmt.Sprintf("The Host header %.100q is no name of a host", r.Host))
		case !unownable(name) && !own[name] && (g.Also == nil || !g.Also(name)):
			g.Refuse(w, fmt.Sprintf("This server does not know that it is called %s, and a page on the web could say so; if it is, start it with --%s %[1]s", name, Flag))
		default:
			inside.ServeHTTP(w, r)
		}
	})
}

// Name is the name or the address of a host in a Host header (RFC 9110, 7.2): without port, brackets, zone and
// the dot at its end, and in small letters. It is false where there is none.
func Name(host string) (name string, ok bool) {
	name = (&url.URL{Host: host}).Hostname()
	if address, err := netip.ParseAddr(strings.TrimSuffix(name, ".")); err == nil {
		return address.WithZone("").String(), true
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return name, len(name) <= 253 && shape.MatchString(name)
}

// List reads the value of the flag: names with commas or spaces between them.
func List(value string) (names []string, err error) {
	for host := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, ok := Name(host)
		if !ok {
			return nil, fmt.Errorf("--%s: %q is no name of a host", Flag, host)
		}
		names = append(names, name)
	}
	return names, nil
}

// unownable reports whether nobody can have a website of this name: a browser asks no server for addresses, and
// names of one label and those below the private ends are not sold.
func unownable(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || !strings.Contains(name, ".") {
		return true
	}
	for _, end := range private {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
