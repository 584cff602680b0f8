package fakecarrier

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/apns"
	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/fate"
	"github.com/verifyd/verifyd/internal/fakecarrier/fcm"
	"github.com/verifyd/verifyd/internal/fakecarrier/vendors"
)

// The types of the providers of push.
const (
	fcmName  = "fcm"
	apnsName = "apns"
)

// makePush makes Google's side and Apple's. Neither reports.
func (c *Carrier) makePush() (err error) {
	if c.fcm, err = fcm.New(fcm.Options{Key: vendors.Key(), Now: c.desk.Time, Taken: func(m fcm.Message) {
		text, err := json.Marshal(m.Data)
		if err != nil {
			panic(err) // texts always encode
		}
		c.desk.Keep(desk.Message{ID: m.ID, Provider: fcmName, To: m.Token, Text: string(text), Arrived: !m.Lost})
	}}); err != nil {
		return err
	}
	c.fcm.Fates.Decide = decide(c.desk, fcmName, map[desk.Answer]fcm.Refusal{
		desk.BadRecipient: fcm.Unregistered, desk.BadRequest: fcm.OtherSender, desk.Temporary: fcm.Unavailable,
		desk.Throttled: fcm.QuotaExceeded, desk.Unknown: fcm.Internal,
	})
	if c.apns, err = apns.New(apns.Options{Now: c.desk.Time, Taken: func(n apns.Notification) {
		c.desk.Keep(desk.Message{ID: n.ID, Provider: apnsName, To: n.Token, From: n.Topic, Text: string(n.Payload), Arrived: !n.Lost})
	}}); err != nil {
		return err
	}
	c.apns.Fates.Decide = decide(c.desk, apnsName, map[desk.Answer]apns.Refusal{
		desk.BadRecipient: apns.Unregistered, desk.BadRequest: apns.DeviceTokenNotForTopic, desk.Temporary: apns.ServiceUnavailable,
		desk.Throttled: apns.TooManyRequests, desk.Unknown: {HTTP: 500, Reason: "InternalServerError"},
	})
	c.cert, err = selfSigned(c.desk.Time())
	return err
}

// decide is the desk's plan as the fate of a notification. One that is accepted is kept when it is taken,
// any other here.
func decide[R any](d *desk.Desk, name string, refusals map[desk.Answer]R) func(string) fate.Fate[R] {
	return func(to string) fate.Fate[R] {
		plan := d.Meet(name, to)
		f := fate.Fate[R]{Delay: plan.Latency, Drop: plan.Answer == desk.Dropped}
		if plan.Answer == desk.Accepted {
			f.Lost = !plan.Arrives
			return f
		}
		d.Keep(desk.Message{Provider: name, To: to, Answer: plan.Answer, Arrived: plan.Arrives})
		if plan.Answer == desk.Silent {
			f.Hold = make(chan struct{}, 1)
		}
		if r, ok := refusals[plan.Answer]; ok {
			f.Refuse = &r
		}
		return f
	}
}

// certificateLife is long enough for any test.
const certificateLife = 30 * 24 * time.Hour

// selfSigned is a certificate of this machine's own names, which is its own authority.
func selfSigned(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the key of the certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.Unix()), Subject: pkix.Name{CommonName: "fakecarrier"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Certificate is the one that APNs is served with, in PEM: whoever is to reach it has to trust it.
func (c *Carrier) Certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Certificate[0]})
}
