package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/sid"
)

// factorsLeg is the leg of challenges. It has one server, and turns of each kind of request, because
// what is compared are calls and not servers: what an application waits for when a person logs in with
// a code that is sent, with an authenticator app, with a handset.
const factorsLeg = "factors"

// The kinds of calls, in their order.
const (
	createCall = "create" // of a verification
	totpCall   = "totp"   // a challenge with its code, which is right
	pushCall   = "push"   // a challenge that a handset is told of
)

var factorCalls = []string{createCall, totpCall, pushCall}

// measureFactors fills a data folder with people who have an app and a handset each, and takes turns.
func (b *bench) measureFactors(ctx context.Context) (results, error) {
	folder := b.folder(factorsLeg)
	c, err := withService(ctx)(b.startVerifyd(ctx, folder)) // makes the service and the keys
	if err != nil {
		return nil, err
	}
	c.stop()
	b.say("writing %d people with two factors each", b.factors)
	keys, err := keyring.Load(filepath.Join(folder, "verifyd.key"))
	if err != nil {
		return nil, err
	}
	people, err := fillFactors(ctx, folder, c.service, keys, b.factors, time.Now())
	if err != nil {
		return nil, err
	}
	syscall.Sync() // the disk is not to be busy with it

	service := c.service
	if c, err = inService(service)(b.startVerifyd(ctx, folder)); err != nil {
		return nil, err
	}
	defer c.stop()
	found := results{}
	connections := b.connections[len(b.connections)-1]
	for round := -1; round < b.rounds; round++ { // the first one warms up
		for i := range factorCalls {
			call := factorCalls[i]
			if round%2 == 1 {
				call = factorCalls[len(factorCalls)-1-i]
			}
			c.call = people.call(call)
			l, err := c.measure(ctx, connections, b.leg)
			if err != nil {
				return nil, err
			}
			if round < 0 {
				continue
			}
			found.add(call, connections, l)
			b.say("round %d of %d, %s at %d: %.0f calls/s, p99 %.1f ms", round+1, b.rounds, call, connections, l.rate, l.p99)
		}
	}
	return found, nil
}

// people are those of the leg. A code opens one thing once in 30 seconds, so everybody logs in once; the
// handsets are asked again and again.
type people struct {
	service    string
	apps       []string // SIDs of factors
	handsets   []string
	totp, push atomic.Int64
}

// benchSecret is the seed of every app.
var benchSecret = bytes.Repeat([]byte{7}, otp.NewSecretBytes)

var benchApp = otp.TOTP{Hash: "sha1", Step: 30 * time.Second, Digits: 6, Skew: 1}

func identityOf(i int) string { return fmt.Sprintf("person-%07d", i) }

// call is one call of a kind, on a client.
func (p *people) call(kind string) func(*client) error {
	switch kind {
	case totpCall:
		return func(c *client) error {
			i := int(p.totp.Add(1) - 1)
			if i >= len(p.apps) {
				return fmt.Errorf("all %d apps have logged in; more -factors are wanted", len(p.apps))
			}
			c.form = fmt.Appendf(c.form[:0], "FactorSid=%s&AuthPayload=%s", p.apps[i], benchApp.Code(benchSecret, time.Now()))
			return c.challenge(p.service, identityOf(i), approved)
		}
	case pushCall:
		return func(c *client) error {
			i := int(p.push.Add(1)-1) % len(p.handsets)
			c.form = fmt.Appendf(c.form[:0], "FactorSid=%s&Details.Message=Log+in%%3F", p.handsets[i])
			return c.challenge(p.service, identityOf(i), pending)
		}
	default:
		return func(c *client) error {
			c.form = fmt.Appendf(c.form[:0], "To=%%2B346%08d&Channel=sms", nextNumber())
			return c.want(c.create, 201, pending)
		}
	}
}

var pending = []byte(`"pending"`)

// challenge makes a challenge of the form.
func (c *client) challenge(service, identity string, status []byte) error {
	c.head = fmt.Appendf(c.head[:0], "POST /v2/Services/%s/Entities/%s/Challenges HTTP/1.1\r\nHost: verifyd\r\nAuthorization: Basic %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ", service, identity,
		base64.StdEncoding.EncodeToString([]byte(accountSID+":"+authToken)))
	return c.want(c.head, 201, status)
}

// want sends the form, and looks for a status and a text in the answer.
func (c *client) want(head []byte, want int, text []byte) error {
	status, body, err := c.post(head)
	if err == nil && (status != want || !bytes.Contains(body, text)) {
		err = fmt.Errorf("got %d, want %d and %s: %s", status, want, text, body)
	}
	return err
}

// fillFactors adds people to the store of a data folder, each with an app and a handset that are
// verified.
func fillFactors(ctx context.Context, folder, service string, keys *keyring.Ring, n int, now time.Time) (*people, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	p := &people{service: service, apps: make([]string, n), handsets: make([]string, n)}
	return p, inBatches(ctx, folder, n, func(tx factor.Tx, i int) error {
		at := now.Add(time.Duration(i-n) * time.Millisecond)
		entitySID, err := sid.New(sid.Entity, at, crand.Reader)
		if err != nil {
			return err
		}
		tx.AddEntity(&factor.Entity{
			SID: entitySID, Identity: identityOf(i), ServiceSID: service, AccountSID: accountSID, CreatedAt: at, UpdatedAt: at, FactorsSince: at, FactorsMade: 2,
		})
		add := func(kind sid.Type, f factor.Factor, secret string, purpose keyring.Purpose) (string, error) {
			var err error
			at := at.Add(time.Duration(kind) * time.Microsecond) // two of one moment could have one key
			if f.SID, err = sid.NewTyped(sid.Factor, kind, at, crand.Reader); err != nil {
				return "", err
			}
			f.EntitySID, f.Identity, f.ServiceSID, f.AccountSID = entitySID, identityOf(i), service, accountSID
			f.FriendlyName, f.Status, f.CreatedAt, f.UpdatedAt = "bench", factor.Verified, at, at
			f.SecretSealed = keys.Seal(purpose, secret, f.SID)
			tx.AddFactor(&f)
			return f.SID, nil
		}
		if p.apps[i], err = add(sid.TOTP, factor.Factor{
			Type: factor.TOTP, Config: factor.Config{TOTP: &factor.TOTPConfig{Alg: "sha1", Skew: 1, CodeLength: 6, TimeStep: 30}},
		}, string(benchSecret), keyring.TOTPSeal); err != nil {
			return err
		}
		p.handsets[i], err = add(sid.Push, factor.Factor{
			Type: factor.Push, CredentialSID: fmt.Sprintf("CR%032x", i),
			Config: factor.Config{Push: &factor.PushConfig{
				SDKVersion: "1", AppID: "com.example.bench", Platform: factor.FCM, PublicKey: base64.StdEncoding.EncodeToString(spki),
			}},
		}, fmt.Sprintf("token-%d", i), keyring.HandsetSeal)
		return err
	})
}

// printFactors prints a line for each kind of call, with its ratios to the create of a verification.
func printFactors(out io.Writer, connections int, r results) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "connections\t\tcalls/s\tp50 ms\tp99 ms\tCPU µs\t÷ create\tcalls/s\tp99\tCPU\t")
	for _, call := range factorCalls {
		of := func(figure func(leg) float64) float64 { return r.median(call, connections, figure) }
		to := func(figure func(leg) float64) float64 { return r.ratio(call, createCall, connections, figure) }
		fmt.Fprintf(table, "%d\t%s\t%.0f\t%.2f\t%.2f\t%.0f\t\t%.2f\t%.2f\t%.2f\t\n", connections, call, of(rate), of(p50), of(p99), of(cpu), to(rate), to(p99), to(cpu))
	}
	return table.Flush()
}
