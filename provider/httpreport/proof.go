package httpreport

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// ErrProof says that a call does not come from the carrier, or not lately.
var ErrProof = errors.New("the proof is missing or not valid")

// tolerance is how far a signed time may be from ours: what is older was overheard and is played
// again.
const tolerance = 5 * time.Minute

// MAC is the HMAC of the parts, one after the other.
func MAC(newHash func() hash.Hash, key string, parts ...string) []byte {
	mac := hmac.New(newHash, []byte(key))
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// EqualHex says whether signature is mac in hexadecimal, in constant time.
func EqualHex(mac []byte, signature string) bool {
	got, err := hex.DecodeString(signature)
	return err == nil && hmac.Equal(got, mac)
}

// EqualBase64 says whether signature is mac in base64, in constant time.
func EqualBase64(mac []byte, signature string) bool {
	got, err := base64.StdEncoding.Strict().DecodeString(signature)
	return err == nil && hmac.Equal(got, mac)
}

// EqualSecret compares two texts without telling by its time where they differ. Nothing is equal
// to an empty secret.
func EqualSecret(got, secret string) bool {
	return secret != "" && subtle.ConstantTimeCompare([]byte(got), []byte(secret)) == 1
}

// Recent says whether a time that the carrier has signed is within five minutes of now.
func Recent(signed, now time.Time) bool {
	age := now.Sub(signed)
	return age <= tolerance && age >= -tolerance
}

// PublicURL is the URL that the carrier called: that of the configuration, with the query that
// came. Of the rest the request knows only how a proxy calls us.
func PublicURL(configured *url.URL, r *http.Request) *url.URL {
	u := *configured
	u.RawQuery = r.URL.RawQuery
	return &u
}

// Networks are the addresses that a carrier calls from; none means any.
type Networks []netip.Prefix

// ParseNetworks reads a setting of addresses and networks: "192.0.2.7", "192.0.2.0/24".
func ParseNetworks(key string, setting []string) (Networks, error) {
	var all Networks
	for _, text := range setting {
		if a, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no address or network such as 192.0.2.0/24", key, text)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// Prove says whether r comes from one of the networks, by the address of the connection.
func (n Networks) Prove(r *http.Request) error {
	if len(n) == 0 {
		return nil
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return fmt.Errorf("the caller's address is not known: %w", ErrProof)
	}
	for _, p := range n {
		if p.Contains(from.Addr().Unmap()) {
			return nil
		}
	}
	return fmt.Errorf("the caller %s is in none of the networks: %w", from.Addr().Unmap(), ErrProof)
}
