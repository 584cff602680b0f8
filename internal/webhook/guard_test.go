package webhook

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
)

func TestSpecialAddressesAreNotDialled(t *testing.T) {
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254",
		"169.254.170.2", "168.63.129.16", "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fe80::1]",
		"[fc00::1]", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]", "[2001:db8::1]", "[ff02::1]",
	} {
		err := dialled(t, NewClient(nil, nil), "http://"+host+":9/")
		if err == nil || reason(err) != ErrAddress {
			t.Errorf("%s: %v, want that it is refused", host, err)
		}
	}
}

func TestAllowedNetworksAreDialledButForMetadata(t *testing.T) {
	everything := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, host := range []string{
		"169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "[fd00:ec2::254]", "[fd20:ce::254]", "[::ffff:169.254.169.254]",
	} {
		if err := dialled(t, NewClient(everything, nil), "http://"+host+":9/"); err == nil || reason(err) != ErrAddress {
			t.Errorf("%s: %v, want that it is refused", host, err)
		}
	}
	r := newReceiver(t, status(200))
	if err := dialled(t, NewClient(loopback, nil), r.URL); err != nil {
		t.Errorf("an allowed network: %v", err)
	}
	if err := dialled(t, NewClient([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, nil), r.URL); err == nil || reason(err) != ErrAddress {
		t.Errorf("a network that is not allowed: %v", err)
	}
}

// A proxy of the environment would dial in our place.
func TestNoProxyIsUsed(t *testing.T) {
	proxy := newReceiver(t, status(200))
	t.Setenv("HTTP_PROXY", proxy.URL)
	if NewClient(nil, nil).Transport.(*http.Transport).Proxy != nil {
		t.Error("the client asks for a proxy")
	}
}

// A name is looked up when it is dialled, so it does not matter what it was before.
func TestANameThatResolvesToAPrivateAddressIsRefused(t *testing.T) {
	for _, answer := range []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("169.254.169.254")} {
		err := dialled(t, NewClient(nil, resolving(t, answer)), "http://rebind.example.com:9/")
		if err == nil || reason(err) != ErrAddress {
			t.Errorf("a name of %s: %v, want that it is refused", answer, err)
		}
	}
	r := newReceiver(t, status(200))
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	// The same way of looking up is good for an address that is allowed.
	if err := dialled(t, NewClient(loopback, resolving(t, netip.MustParseAddr("127.0.0.1"))), "http://rebind.example.com:"+u.Port()); err != nil {
		t.Errorf("a name of an allowed address: %v", err)
	}
}

func dialled(t *testing.T, client *http.Client, target string) error {
	t.Helper()
	answer, err := client.Post(target, "text/plain", nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// resolving is a resolver whose server answers every question with one IPv4 address.
func resolving(t *testing.T, addr netip.Addr) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(dnsAnswer(b[:n], addr), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// dnsAnswer answers a question (RFC 1035, section 4.1): the header and the question come back, and behind
// them the address, if one of its kind was asked for.
func dnsAnswer(query []byte, addr netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5
	asked := query[end-3]
	reply := append([]byte{}, query[:end]...)
	reply[2], reply[3] = 0x81, 0x80
	copy(reply[6:], []byte{0, 0, 0, 0, 0, 0})
	if asked == 1 {
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		reply = append(reply, addr.AsSlice()...)
	}
	return reply
}
