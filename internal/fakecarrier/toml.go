package fakecarrier

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/sip"
	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/fakecarrier/smtp"
)

// Table is what a [providers.NAME] table needs for its other end to be here: keys and values in turn. A key
// with a dot is of a table inside.
type Table struct {
	Type string
	Keys [][2]any
	// Reports says that it has a report_url, which only the server knows.
	Reports bool
	// Webhook says that its vendor is told the URL for reports once, by Carrier.Webhook.
	Webhook bool
}

// Tables are those of all providers whose port is open, in the order of their types.
func (c *Carrier) Tables() []Table {
	c.turning.Lock() // a port that is opened again says where
	defer c.turning.Unlock()
	var all []Table
	open := func(name string) (host string, number int, ok bool) {
		at := slices.IndexFunc(c.ports, func(p *port) bool { return p.name == name })
		host, text, err := net.SplitHostPort(c.ports[at].address)
		if err != nil {
			return "", 0, false
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		number, err = strconv.Atoi(text)
		return host, number, err == nil
	}
	if host, n, ok := open("smpp"); ok {
		all = append(all, Table{Type: smsc.Name, Keys: [][2]any{
			{"host", host}, {"port", n}, {"tls", "none"}, {"system_id", systemID}, {"password", smppPassword}, {"from", "Acme"},
		}})
	}
	if host, n, ok := open("sip"); ok {
		all = append(all, Table{Type: sip.Name, Keys: [][2]any{
			{"server", net.JoinHostPort(host, fmt.Sprint(n))}, {"username", sip.Username}, {"password", sip.Password},
			{"from", "+34910000000"}, {"listen", "127.0.0.1:0"}, {"rtp_ports", "16384-16583"},
		}})
	}
	if host, n, ok := open("smtp"); ok {
		keys := [][2]any{
			{"host", host}, {"port", n}, {"tls", "none"}, {"username", smtp.Username}, {"password", smtp.Password}, {"from", "codes@acme.example"},
		}
		if c.bounces != "" {
			keys = append(keys, [2]any{"bounce_address", "bounces@acme.example"}, [2]any{"bounce_listen", c.bounces})
		}
		all = append(all, Table{Type: smtp.Name, Keys: keys})
	}
	if host, n, ok := open("http"); ok {
		base := "http://" + net.JoinHostPort(host, fmt.Sprint(n))
		for _, api := range c.apis {
			t := Table{Type: api.Name, Reports: !api.Webhook && api.Call != nil, Webhook: api.Webhook}
			for _, pair := range api.Table(base + "/" + api.Name) {
				t.Keys = append(t.Keys, [2]any{pair[0], pair[1]})
			}
			all = append(all, t)
		}
		key, err := c.fcm.ServiceAccount(base + "/fcm")
		if err != nil {
			panic(err) // the key was made here
		}
		all = append(all, Table{Type: fcmName, Keys: [][2]any{{"credentials", string(key)}, {"base_url", base + "/fcm"}}})
	}
	if host, n, ok := open("apns"); ok {
		key, err := c.apns.Key()
		if err != nil {
			panic(err) // the key was made here
		}
		all = append(all, Table{Type: apnsName, Keys: [][2]any{
			{"key", string(key)}, {"key_id", c.apns.KeyID()}, {"team_id", c.apns.Team()}, {"topic", "example.acme"},
			{"base_url", "https://" + net.JoinHostPort(host, fmt.Sprint(n))},
		}})
	}
	slices.SortFunc(all, func(a, b Table) int { return strings.Compare(a.Type, b.Type) })
	return all
}

// routes are what a channel goes by, the first that is there.
var routes = [][]string{
	{"sms", smsc.Name, "twilio"}, {"call", sip.Name}, {"email", smtp.Name, "postmark"},
	{"whatsapp", "whatsapp"}, {"rcs", "rcs"}, {"fcm", fcmName}, {"apn", apnsName},
}

// TOML is a configuration of verifyd, of providers that all have their other end here and of routes to
// them: to paste, and to cut down.
func (c *Carrier) TOML() string {
	var b strings.Builder
	there := map[string]bool{}
	for _, t := range c.Tables() {
		there[t.Type] = true
		fmt.Fprintf(&b, "[providers.%s]\ntype = %q\n", t.Type, t.Type)
		for _, pair := range t.Keys {
			switch value := pair[1].(type) {
			case string:
				if strings.Contains(value, "\n") {
					fmt.Fprintf(&b, "%s = '''\n%s'''\n", pair[0], value)
					continue
				}
				fmt.Fprintf(&b, "%s = %q\n", pair[0], value)
			default:
				fmt.Fprintf(&b, "%s = %v\n", pair[0], value)
			}
		}
		if t.Reports {
			b.WriteString("# report_url = the one that `verifyd doctor --report-urls` prints\n")
		}
		b.WriteString("\n")
	}
	b.WriteString("[routes]\n")
	for _, route := range routes {
		var names []string
		for _, name := range route[1:] {
			if there[name] {
				names = append(names, strconv.Quote(name))
			}
		}
		if names != nil {
			fmt.Fprintf(&b, "%s = [%s]\n", route[0], strings.Join(names, ", "))
		}
	}
	return b.String()
}
