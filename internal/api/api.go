// Package api is the wire of Twilio's Verify v2 API: forms in, JSON out, as client libraries see
// them (https://www.twilio.com/docs/verify/api).
//
// A handler reads parameters into a struct, calls one operation of the engine and returns an answer
// or an error; it never writes. ServeHTTP writes whatever came back, and one log line. Paths, codes
// and their texts are tables: routes.go, errors.go.
package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/fault"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// API serves the paths below /v2.
type API struct {
	engine  *verify.Engine
	factors *factor.Engine
	log     *slog.Logger
	// publicURL is the base of every URL in an answer, "" to take it from the request.
	publicURL string
	table     table
	inFlight  atomic.Int64
}

// New makes the API. publicURL has no trailing slash; where it is empty, URLs are built from the
// scheme and the Host header of each request.
func New(engine *verify.Engine, publicURL string, log *slog.Logger) *API {
	return &API{engine: engine, factors: factor.NewEngine(engine), log: log, publicURL: publicURL, table: newTable(routes)}
}

// readTimeout bounds what a request that only reads may wait for; the answer is then 503. One that
// writes is not cut off: what was begun is finished, and the store bounds how long it takes.
const readTimeout = 8 * time.Second

// request is a request on its way to a handler.
type request struct {
	ctx context.Context
	caller
	vars  pathVars
	form  url.Values // of a POST
	json  []byte     // of a POST to a route that takes JSON
	query url.Values // of a GET
	base  string     // "https://verify.example.com/v2"
}

// response is what a handler returns.
type response struct {
	status int
	header http.Header          // nil for none
	about  *verify.Verification // which headers tell about while it is pending; nil for none
	body   any                  // nil for none; a large struct is a pointer, or the encoder copies it
}

// event is what is logged of a request: one line, with no address and no code in it.
type event struct {
	sid     string
	route   string
	account string
	code    verify.Code
	fault   error
}

// ServeHTTP serves one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	concurrent := a.inFlight.Add(1)
	defer a.inFlight.Add(-1)

	var e event
	resp := a.handle(w, r, &e)
	elapsed := time.Since(start)

	h := w.Header()
	if len(r.Header["Origin"]) > 0 { // a browser asks; nobody else looks at these
		h["Access-Control-Allow-Origin"] = anyOrigin
		h["Access-Control-Allow-Methods"] = allowMethods
		h["Access-Control-Allow-Headers"] = allowHeaders
		h["Access-Control-Expose-Headers"] = exposeHeaders
		h["Access-Control-Allow-Credentials"] = yes
	}
	h["Twilio-Request-Id"] = []string{e.sid}
	h["Twilio-Concurrent-Requests"] = []string{strconv.FormatInt(concurrent, 10)}
	h["Twilio-Request-Duration"] = []string{strconv.FormatFloat(elapsed.Seconds(), 'f', 3, 64)}
	for name, values := range resp.header {
		h[name] = values
	}
	if resp.about != nil {
		tellAbout(h, resp.about, a.engine.Now())
	}
	size, err := write(w, resp)

	level := slog.LevelInfo
	attrs := append(make([]slog.Attr, 0, 10),
		slog.String("request", e.sid),
		slog.String("method", r.Method),
		slog.String("route", e.route),
		slog.Int("status", resp.status),
		slog.Int("bytes", size),
		slog.Duration("took", elapsed))
	if e.account != "" {
		attrs = append(attrs, slog.String("account", e.account))
	}
	if e.code != 0 {
		attrs = append(attrs, slog.Int("code", int(e.code)))
	}
	if e.fault != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", e.fault.Error()))
	}
	if err != nil {
		attrs = append(attrs, slog.String("write_error", err.Error()))
	}
	a.log.LogAttrs(context.Background(), level, "request", attrs...)
}

// Values of headers that never change, spelt in canonical form.
var (
	anyOrigin    = []string{"*"}
	yes          = []string{"true"}
	allowMethods = []string{"GET, POST, DELETE, OPTIONS"}
	allowHeaders = []string{"Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since"}
	// exposeHeaders lets a browser's code read what verifyd says besides.
	exposeHeaders = []string{"ETag, Retry-After, Twilio-Reached-Rate-Limit, Twilio-Verify-Signature-Fields, Twilio-Request-Id, Twilio-Request-Duration, Twilio-Concurrent-Requests, " +
		"Verifyd-Reason, Verifyd-Sends-Left, Verifyd-Checks-Left, Verifyd-Expires-In, " +
		"Verifyd-Code-Ttl, Verifyd-Max-Sends, Verifyd-Max-Checks, Verifyd-Disabled-Channels, Verifyd-Fallback, Verifyd-Fallback-After, WWW-Authenticate"}
	jsonContent = []string{"application/json"}
)

// handle finds the answer to a request.
func (a *API) handle(w http.ResponseWriter, r *http.Request, e *event) (resp response) {
	path := strings.TrimPrefix(r.URL.Path, "/v2")
	fail := func(err error) response {
		resp, code, fault := refusal(err, path)
		if refused, ok := errors.AsType[*verify.Error](err); ok {
			resp.about = refused.Verification
		}
		if code == verify.CodeUnauthorized { // a handset sets its clock by this one, which has judged its token
			resp.header.Set("Date", a.engine.Now().UTC().Format(http.TimeFormat))
		}
		e.code, e.fault = code, fault
		return resp
	}
	defer func() {
		if p := recover(); p != nil {
			resp = fail(fault.Panicked(p))
		}
	}()
	var err error
	if e.sid, err = sid.New(sid.Request, a.engine.Now(), rand.Reader); err != nil {
		return fail(err)
	}
	hit, vars, allow, found := a.table.find(r)
	if hit != nil {
		e.route = hit.path
	}
	if r.Method == http.MethodOptions && found {
		return response{status: http.StatusNoContent}
	}
	ctx := r.Context()
	if r.Method == http.MethodGet {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readTimeout)
		defer cancel()
	}
	who, err := a.authenticate(ctx, r)
	if err != nil {
		return fail(err)
	}
	e.account = who.account
	if !found {
		return fail(&verify.Error{Code: verify.CodeNotFound})
	}
	if hit == nil {
		resp := fail(&verify.Error{Code: verify.CodeMethodNotAllowed})
		resp.header.Set("Allow", strings.Join(allow, ", "))
		return resp
	}
	if err := a.admit(ctx, who, hit, vars); err != nil {
		return fail(err)
	}
	req := &request{ctx: ctx, caller: who, vars: vars, base: a.base(r)}
	switch {
	case r.Method != http.MethodPost:
		req.query, err = parseForm(r.URL.RawQuery)
	case hit.json():
		req.json, err = readJSON(w, r)
	default:
		req.form, err = readForm(w, r)
	}
	if err == nil {
		resp, err = hit.handler(a, req)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", verify.ErrUnavailable, err)
	}
	if err != nil {
		return fail(err)
	}
	return resp
}

// base is what every URL in an answer begins with.
func (a *API) base(r *http.Request) string {
	if a.publicURL != "" {
		return a.publicURL + "/v2"
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + "/v2"
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// write sends an answer and returns the size of its body.
func write(w http.ResponseWriter, resp response) (int, error) {
	if resp.body == nil {
		w.WriteHeader(resp.status)
		return 0, nil
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(resp.body); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return 0, err
	}
	w.Header()["Content-Type"] = jsonContent
	w.Header()["Content-Length"] = []string{strconv.Itoa(buffer.Len())}
	w.WriteHeader(resp.status)
	return w.Write(buffer.Bytes())
}

// timestamp is a time as the API writes it: UTC, whole seconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
