package sip

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	siplib "github.com/emiago/sipgo/sip"
)

// dialog is what the two ends of an answered call know of each other (RFC 3261, 12).
type dialog struct {
	call        *call
	at          netip.Addr // ours
	invite      *siplib.Request
	to          *siplib.ToHeader // with the far end's tag
	target      siplib.Uri       // the far end itself
	routes      []siplib.Uri     // and the proxies on the way
	destination string
	sequence    uint32
}

func (c *call) newDialog(req *siplib.Request, res *siplib.Response, at netip.Addr) *dialog {
	d := &dialog{
		call: c, at: at, invite: req, to: req.To(), target: req.Recipient,
		destination: c.provider.config.server, sequence: req.CSeq().SeqNo,
	}
	if to := res.To(); to != nil && oneLine(to.Value()) {
		d.to = to
	}
	contact := res.Contact()
	if contact != nil && !contact.Address.Wildcard && contact.Address.Host != "" && oneLine(contact.Value()) {
		d.target = contact.Address
		d.destination = c.trunk.reach(d.target, res.Source())
	}
	recorded := res.GetHeaders("Record-Route")
	for i := len(recorded) - 1; i >= 0; i-- {
		var uri siplib.Uri
		if _, err := siplib.ParseAddressValue(recorded[i].Value(), &uri, nil); err == nil && oneLine(recorded[i].Value()) {
			d.routes = append(d.routes, uri)
		}
	}
	if len(d.routes) > 0 {
		d.destination = endpoint(d.routes[0], c.provider.config.transport)
	}
	return d
}

// oneLine reports whether a value can stand in a request of ours. sipgo ends a line at CR LF alone; who gets
// the request may end it at a line feed, and would read headers that the far end has written.
func oneLine(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// reach is where a request for uri goes: there, unless it names an address behind somebody's NAT that
// the answer did not come from.
func (t *trunk) reach(uri siplib.Uri, source string) string {
	host, hostErr := netip.ParseAddr(uri.Host)
	from, fromErr := netip.ParseAddrPort(source)
	if hostErr == nil && fromErr == nil && host.IsPrivate() && !from.Addr().Unmap().IsPrivate() {
		return source
	}
	return endpoint(uri, t.provider.config.transport)
}

func endpoint(uri siplib.Uri, transport string) string {
	port := uri.Port
	if port == 0 {
		port = siplib.DefaultPort(transport)
	}
	host := uri.Host
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// request is one inside the call.
func (d *dialog) request(method siplib.RequestMethod, sequence uint32) *siplib.Request {
	req := siplib.NewRequest(method, *d.target.Clone())
	for _, uri := range d.routes {
		req.AppendHeader(siplib.NewHeader("Route", "<"+uri.String()+">"))
	}
	req.AppendHeader(siplib.HeaderClone(d.invite.From()))
	req.AppendHeader(siplib.HeaderClone(d.to))
	req.AppendHeader(siplib.HeaderClone(d.invite.CallID()))
	req.AppendHeader(&siplib.CSeqHeader{SeqNo: sequence, MethodName: method})
	hops := siplib.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
	req.AppendHeader(d.call.trunk.contact(d.at))
	req.SetBody(nil)
	return req
}

// acknowledge answers 200. It is no transaction: a lost ACK is seen when 200 comes again.
func (d *dialog) acknowledge() {
	req := d.request(siplib.ACK, d.invite.CSeq().SeqNo)
	// A proxy that asked for credentials may want them again (RFC 3261, 22.1).
	siplib.CopyHeaders("Authorization", d.invite, req)
	siplib.CopyHeaders("Proxy-Authorization", d.invite, req)
	d.call.trunk.route(req, d.at, d.destination)
	if err := d.call.trunk.agent.TransportLayer().WriteMsg(req); err != nil {
		d.call.provider.log.Debug("cannot acknowledge an answer", "call", d.call.id, "error", d.call.excerpt(err.Error()))
	}
}

// bye ends the call. Whatever is answered, it is over.
func (d *dialog) bye() {
	d.sequence++
	req := d.request(siplib.BYE, d.sequence)
	if _, err := d.call.trunk.ask(context.Background(), req, d.at, d.destination); err != nil {
		d.call.provider.log.Debug("nobody confirmed the end of a call", "call", d.call.id, "error", d.call.excerpt(err.Error()))
	}
}
