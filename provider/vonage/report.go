package vonage

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
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

// prove checks whichever signature an account makes: a JWT in the header, or sig among the
// parameters. Where no secret is configured, the secret of the URL has to do.
func (p *Provider) prove(r *http.Request, body []byte) error {
	if err := p.networks.Prove(r); err != nil {
		return err
	}
	if p.signatureSecret == "" {
		return nil
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return p.proveToken(token, body)
	}
	params, err := parameters(r, body)
	if err != nil {
		return httpreport.ErrProof
	}
	return p.proveParams(params)
}

// proveToken checks a signed webhook, https://developer.vonage.com/en/getting-started/concepts/
// webhooks: a JWT by HS256, whose claims must be of this body and of now. The official library
// checks the signature alone.
func (p *Provider) proveToken(token string, body []byte) error {
	signed, signature, ok := cutLast(token, ".")
	if !ok {
		return httpreport.ErrProof
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !hmac.Equal(mac, httpreport.MAC(sha256.New, p.signatureSecret, signed)) {
		return httpreport.ErrProof
	}
	head, payload, ok := strings.Cut(signed, ".")
	var header struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		IssuedAt    int64  `json:"iat"`
		APIKey      string `json:"api_key"`
		PayloadHash string `json:"payload_hash"`
	}
	if !ok || !decodePart(head, &header) || !decodePart(payload, &claims) || header.Alg != "HS256" {
		return httpreport.ErrProof
	}
	sum := sha256.Sum256(body)
	if claims.PayloadHash == "" && len(body) > 0 || claims.PayloadHash != "" && !httpreport.EqualHex(sum[:], claims.PayloadHash) {
		return httpreport.ErrProof
	}
	if claims.APIKey != p.apiKey || !httpreport.Recent(time.Unix(claims.IssuedAt, 0), p.now()) {
		return httpreport.ErrProof
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func decodePart(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}

// proveParams checks sig, https://developer.vonage.com/en/getting-started/concepts/signing-messages:
// every other parameter in the order of the names, with & and = in values made harmless.
func (p *Provider) proveParams(params url.Values) error {
	var signed strings.Builder
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name != "sig" {
			signed.WriteString("&" + name + "=" + strings.NewReplacer("&", "_", "=", "_").Replace(params.Get(name)))
		}
	}
	var mac []byte
	if p.signatureHash == nil {
		sum := md5.Sum([]byte(signed.String() + p.signatureSecret))
		mac = sum[:]
	} else {
		mac = httpreport.MAC(p.signatureHash, p.signatureSecret, signed.String())
	}
	seconds, err := strconv.ParseInt(params.Get("timestamp"), 10, 64)
	if err != nil || !httpreport.EqualHex(mac, params.Get("sig")) || !httpreport.Recent(time.Unix(seconds, 0), p.now()) {
		return httpreport.ErrProof
	}
	return nil
}

// parameters are those of the query, of a form, or of a JSON object of texts.
func parameters(r *http.Request, body []byte) (url.Values, error) {
	if r.Method == http.MethodGet {
		return r.URL.Query(), nil
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var object map[string]httpsend.Scalar
		if json.Unmarshal(body, &object) != nil {
			return nil, errors.New("the body is no JSON object")
		}
		params := url.Values{}
		for name, value := range object {
			params.Set(name, string(value))
		}
		return params, nil
	}
	params, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the form is not well formed")
	}
	return params, nil
}

var states = map[string]provider.ReportState{
	"delivered": provider.Delivered,
	"expired":   provider.Failed,
	"failed":    provider.Failed,
	"rejected":  provider.Failed,
}

// readReport reads a delivery receipt, or a status of the Messages API. Accepted, buffered and unknown are not reported.
func (p *Provider) readReport(r *http.Request, body []byte) ([]provider.Report, error) {
	if e, ok := p.ofCall(r, body); ok {
		return p.readCall(r, e), nil
	}
	if reports, ok := readStatus(body); ok {
		return reports, nil
	}
	params, err := parameters(r, body)
	if err != nil {
		return nil, err
	}
	report := provider.Report{ID: httpsend.ID(params.Get("messageId")), State: states[params.Get("status")]}
	if report.ID == "" || report.State == 0 {
		return nil, nil
	}
	report.MCC, report.MNC = httpreport.Network(params.Get("network-code"))
	report.Price = httpsend.Price(params.Get("price"), p.currency)
	if at, err := time.Parse("2006-01-02 15:04:05", params.Get("message-timestamp")); err == nil {
		report.At = at
	}
	if report.State == provider.Failed {
		report.Code = httpsend.ID(params.Get("err-code"))
		report.Class = failures.Of(report.Code, provider.Temporary)
	}
	return []provider.Report{report}, nil
}
