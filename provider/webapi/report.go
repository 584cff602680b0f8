package webapi

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/httpreport"
	"github.com/verifyd/verifyd/provider/httpsend"
)

// reading is a ReportConfig that was found good.
type reading struct {
	methods                     []string
	list                        string
	id, key, state, code        source
	at, mccmnc, price, currency source
	words                       map[string]provider.ReportState
	failures                    []classRule
}

func parseReading(c ReportConfig) (*reading, error) {
	r := &reading{methods: c.Methods, words: map[string]provider.ReportState{}}
	var err error
	for _, s := range []struct {
		key, text string
		to        *source
	}{
		{"id", c.ID, &r.id}, {"key", c.Key, &r.key}, {"state", c.State, &r.state}, {"code", c.Code, &r.code}, {"at", c.At, &r.at},
		{"mccmnc", c.MCCMNC, &r.mccmnc}, {"price", c.Price, &r.price}, {"currency", c.Currency, &r.currency},
	} {
		if *s.to, err = parseSource("report."+s.key, s.text, ofReports); err != nil {
			return nil, err
		}
	}
	switch {
	case r.id == nil && r.key == nil:
		return nil, errors.New("report: has neither id nor key, so nobody would know the message")
	case r.state == nil:
		return nil, errors.New("report.state is missing")
	}
	for _, w := range []struct {
		key   string
		words []string
		state provider.ReportState
	}{{"delivered", c.Delivered, provider.Delivered}, {"read", c.Read, provider.Read}, {"failed", c.Failed, provider.Failed}} {
		for _, word := range w.words {
			if r.words[word] != 0 {
				return nil, fmt.Errorf("report.%s: %q has two meanings", w.key, word)
			}
			r.words[word] = w.state
		}
	}
	if len(r.words) == 0 {
		return nil, errors.New("report: no word means anything; set delivered and failed")
	}
	for _, method := range c.Methods {
		if method != http.MethodGet && method != http.MethodPost && method != http.MethodPut {
			return nil, fmt.Errorf("report.methods: %q is none of GET, POST, PUT", method)
		}
	}
	if c.List != "" {
		pointerText, isJSON := strings.CutPrefix(c.List, "json:")
		if _, err := pointer(pointerText); err != nil || !isJSON {
			return nil, fmt.Errorf("report.list: %q is not of the form json:/results", c.List)
		}
		r.list = pointerText
	}
	r.failures, err = parseRules("report.errors", c.Errors, ofReports, c.Code)
	return r, err
}

// read is of httpreport.Handler.
func (r *reading) read(call *http.Request, body []byte) ([]provider.Report, error) {
	x := scene{header: call.Header, body: body, query: call.URL.Query()}
	if strings.HasPrefix(call.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errors.New("the form is not well formed")
		}
		x.form = form
	}
	scenes := []scene{x}
	if r.list != "" {
		elements, ok := find(x.json(), r.list).([]any)
		if !ok {
			return nil, errors.New("there is no list of reports")
		}
		scenes = nil
		for _, e := range elements {
			one := x
			one.value, one.known = e, true
			scenes = append(scenes, one)
		}
	}
	var all []provider.Report
	for i := range scenes {
		if report, ok := r.one(&scenes[i]); ok {
			all = append(all, report)
		}
	}
	return all, nil
}

// one is not ok where the state is another word, or the message has no name.
func (r *reading) one(x *scene) (provider.Report, bool) {
	report := provider.Report{
		ID: httpsend.ID(r.id.of(x)), Key: httpsend.ID(r.key.of(x)), State: r.words[r.state.of(x)],
		At: clock(r.at.of(x)), Price: httpsend.Price(r.price.of(x), r.currency.of(x)),
	}
	if report.ID != "" {
		report.Key = ""
	}
	if report.State == 0 || report.ID == "" && report.Key == "" {
		return report, false
	}
	report.MCC, report.MNC = httpreport.Network(r.mccmnc.of(x))
	if report.State == provider.Failed {
		report.Code = httpsend.ID(r.code.of(x))
		report.Class = provider.Temporary
		for _, rule := range r.failures {
			if rule.fits(x) {
				report.Class = rule.class
				break
			}
		}
	}
	return report, true
}

// clock reads a time by RFC 3339 or in seconds since 1970; anything else is not stated.
func clock(text string) time.Time {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC()
	}
	if n, err := strconv.ParseUint(text, 10, 36); err == nil {
		return time.Unix(int64(n), 0).UTC()
	}
	return time.Time{}
}

var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// parseProof makes of a proof what httpreport.Handler.Prove is.
func parseProof(c ProofConfig, now func() time.Time) (func(*http.Request, []byte) error, error) {
	networks, err := httpreport.ParseNetworks("report.proof.allow_from", c.AllowFrom)
	if err != nil {
		return nil, err
	}
	needs := map[string][]string{
		"none": {}, "header": {"header", c.Header, "secret", c.Secret},
		"basic": {"username", c.Username, "secret", c.Secret}, "hmac": {"header", c.Header, "secret", c.Secret},
	}
	wanted, ok := needs[c.Kind]
	if !ok {
		return nil, fmt.Errorf(`report.proof.kind: %q is none of hmac, header, basic, none`, c.Kind)
	}
	if err := httpsend.Require(wanted...); err != nil {
		return nil, fmt.Errorf("report.proof.%w", err)
	}
	proves := map[string]func(*http.Request, []byte) bool{
		"none":   func(*http.Request, []byte) bool { return true },
		"header": func(r *http.Request, _ []byte) bool { return httpreport.EqualSecret(r.Header.Get(c.Header), c.Secret) },
		"basic": func(r *http.Request, _ []byte) bool {
			user, password, _ := r.BasicAuth()
			return httpreport.EqualSecret(user, c.Username) && httpreport.EqualSecret(password, c.Secret)
		},
	}[c.Kind]
	if c.Kind == "hmac" {
		if proves, err = c.signed(now); err != nil {
			return nil, err
		}
	}
	return func(r *http.Request, body []byte) error {
		if err := networks.Prove(r); err != nil {
			return err
		}
		if !proves(r, body) {
			return httpreport.ErrProof
		}
		return nil
	}, nil
}

func (c ProofConfig) signed(now func() time.Time) (func(*http.Request, []byte) bool, error) {
	newHash := hashes[c.Hash]
	if c.Hash == "" {
		newHash = sha256.New
	}
	if newHash == nil {
		return nil, fmt.Errorf("report.proof.hash: %q is none of sha256, sha1, sha512", c.Hash)
	}
	if !slices.Contains([]string{"", "hex", "base64"}, c.Encoding) {
		return nil, fmt.Errorf("report.proof.encoding: %q is neither hex nor base64", c.Encoding)
	}
	equal := httpreport.EqualHex
	if c.Encoding == "base64" {
		equal = httpreport.EqualBase64
	}
	return func(r *http.Request, body []byte) bool {
		signature, ok := strings.CutPrefix(r.Header.Get(c.Header), c.Prefix)
		if !ok {
			return false
		}
		if c.TimestampHeader == "" {
			return equal(httpreport.MAC(newHash, c.Secret, string(body)), signature)
		}
		timestamp := r.Header.Get(c.TimestampHeader)
		at := clock(timestamp)
		return httpreport.Recent(at, now()) &&
			equal(httpreport.MAC(newHash, c.Secret, timestamp, c.Separator, string(body)), signature)
	}, nil
}
