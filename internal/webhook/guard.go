package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// The bounds of a call.
const (
	dialTimeout = 5 * time.Second
	// CallTimeout is from the look-up of the name to the end of the answer.
	CallTimeout = 15 * time.Second
)

// metadata are the addresses under which clouds give their machines credentials. No setting opens them
// by a wider network around them. That of Azure's platform, 168.63.129.16, is a public one
// (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16), so nothing else
// would refuse it.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("169.254.170.2"), netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
}

// ErrAddress says that an address is none that webhooks may go to.
var ErrAddress = errors.New("address is private or special, and webhooks.allow does not have it")

// NewClient makes the client for URLs that customers set. It reaches public addresses and the networks
// that are allowed, and looks at the address that is dialled: what a name resolves to between two looks
// does not matter. It follows no redirect, and uses no proxy, which would dial in its place. resolver is
// nil but in tests.
func NewClient(allow []netip.Prefix, resolver *net.Resolver) *http.Client {
	options := []ssrf.Option{ssrf.WithAnyPort()}
	var v4, v6 []netip.Prefix
	for _, prefix := range allow {
		if prefix.Addr().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	options = append(options, ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	guardian := ssrf.New(options...)
	dialer := &net.Dialer{
		Timeout:  dialTimeout,
		Resolver: resolver,
		ControlContext: func(_ context.Context, network, address string, c syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %s", ErrAddress, address)
			}
			for _, secret := range metadata {
				if to.Addr().Unmap().WithZone("") == secret {
					return fmt.Errorf("%w: %s", ErrAddress, to.Addr())
				}
			}
			if err := guardian.Safe(network, address, c); err != nil {
				return fmt.Errorf("%w: %s", ErrAddress, to.Addr())
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConnsPerHost:    webhookPace.parallel,
			MaxIdleConns:           100,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 16 << 10,
		},
		Timeout:       CallTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
