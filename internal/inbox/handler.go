package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The page loads nothing from elsewhere and builds its parts from text nodes. With trusted types
// a line that assigned innerHTML would be an error in the browser, not a hole.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// An e-mail may bring its own styles and inline pictures. It runs no script, sends no form, and
// fetches nothing: reading the inbox must not tell anybody that it was read.
const mailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
	"font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// writeGrace is how long one write to a client may take.
const writeGrace = 10 * time.Second

// Handler serves the page and the API below /dev/inbox.
//
// Nobody is asked for a password, so a page from elsewhere must not get at the inbox through the
// developer's browser: nothing here allows cross-origin reading, and the handler belongs behind a
// gate (package gate), which refuses what such a page asks for.
func (in *Inbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/dev/inbox", methods{http.MethodGet: in.getInbox, http.MethodDelete: in.deleteInbox})
	mux.Handle("/dev/inbox/{$}", methods{http.MethodGet: withoutSlash})
	mux.Handle("/dev/inbox/events", methods{http.MethodGet: in.getEvents})
	mux.Handle("/dev/inbox/messages/{sid}", methods{http.MethodGet: in.getMessage})
	mux.Handle("/dev/inbox/messages/{sid}/html", methods{http.MethodGet: in.getHTML})
	mux.Handle("/dev/inbox/factors", methods{http.MethodGet: in.getFactors})
	mux.Handle("/dev/inbox/factors/{file}", methods{http.MethodGet: in.getFactorPicture})
	mux.Handle("/dev/inbox/handsets", methods{http.MethodGet: in.getHandsets, http.MethodPost: in.postHandset})
	mux.Handle("/dev/inbox/handsets/{factor}", methods{http.MethodGet: in.getHandset, http.MethodDelete: in.deleteHandset})
	mux.Handle("/dev/inbox/handsets/{factor}/challenges/{challenge}", methods{http.MethodPost: in.postAnswer})
	mux.Handle("/dev/inbox/assets/{file}", methods{http.MethodGet: getAsset})
	mux.Handle("/", respond(func(_ http.ResponseWriter, r *http.Request) error { return notFound(r) }))

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// apiError is an answer in the shape that the API's clients know.
type apiError struct {
	code    int // the vocabulary is Twilio's
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func notFound(r *http.Request) error {
	return &apiError{20404, http.StatusNotFound, "The requested resource " + r.URL.Path + " was not found"}
}

// respond is a handler that returns its refusal; what it returns is written here.
type respond func(http.ResponseWriter, *http.Request) error

func (f respond) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := f(w, r)
	if err == nil {
		return
	}
	e, ok := errors.AsType[*apiError](err)
	if bad, isBad := errors.AsType[badParameter](err); isBad {
		e, ok = &apiError{60200, http.StatusBadRequest, bad.Error()}, true
	}
	if !ok {
		e = &apiError{20500, http.StatusInternalServerError, "An internal server error has occurred"}
	}
	writeJSON(w, e.status, struct {
		Code     int    `json:"code"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info"`
		Status   int    `json:"status"`
	}{e.code, e.message, fmt.Sprintf("https://www.twilio.com/docs/errors/%d", e.code), e.status})
}

// methods is what one path can do. GET does for HEAD; the server keeps the body back.
type methods map[string]respond

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handler, ok := m[method]
	if !ok {
		w.Header().Set("Allow", m.allow())
		handler = func(http.ResponseWriter, *http.Request) error {
			return &apiError{20004, http.StatusMethodNotAllowed, "Method not allowed"}
		}
	}
	handler.ServeHTTP(w, r)
}

func (m methods) allow() string {
	allowed := []string{http.MethodHead}
	for method := range m {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	return strings.Join(allowed, ", ")
}

func (in *Inbox) getInbox(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParameters(r.URL.RawQuery)
	if err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	if wantsPage(r) && !p.json {
		return in.writePage(w)
	}
	messages := in.Messages(r.Context(), p.Query)
	if len(messages) == 0 && p.wait > 0 {
		if messages, err = in.waitFor(w, r, p); err != nil {
			return err
		}
	}
	if messages == nil {
		messages = []Message{}
	}
	writeJSON(w, http.StatusOK, map[string][]Message{"messages": messages})
	return nil
}

// waitFor answers no messages when the time is up: nothing went wrong, nothing came.
func (in *Inbox) waitFor(w http.ResponseWriter, r *http.Request, p parameters) ([]Message, error) {
	outlive(w, p.wait+writeGrace)
	ctx, cancel := context.WithTimeout(r.Context(), p.wait)
	defer cancel()
	messages, err := in.Wait(ctx, p.Query)
	switch {
	case errors.Is(err, ErrClosed):
		return nil, errClosing
	case err != nil: // or the client has hung up, and whatever is answered is lost
		return nil, nil
	}
	return messages, nil
}

var errClosing = &apiError{20503, http.StatusServiceUnavailable, "Service is unavailable. Please try again"}

// deleteInbox empties all of it. A filter is refused rather than ignored: whoever sends one means
// to keep the rest.
func (in *Inbox) deleteInbox(w http.ResponseWriter, r *http.Request) error {
	values, err := parseValues(r.URL.RawQuery)
	if err != nil {
		return err
	}
	for _, name := range []string{"to", "channel", "code", "after"} {
		if _, ok := values[name]; ok {
			return badParameter(name)
		}
	}
	in.Clear()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (in *Inbox) getMessage(w http.ResponseWriter, r *http.Request) error {
	m, ok := in.Message(r.Context(), r.PathValue("sid"))
	if !ok {
		return notFound(r)
	}
	writeJSON(w, http.StatusOK, m)
	return nil
}

func (in *Inbox) getHTML(w http.ResponseWriter, r *http.Request) error {
	m, ok := in.Message(r.Context(), r.PathValue("sid"))
	if !ok || m.HTML == "" {
		return notFound(r)
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	write(w, http.StatusOK, "text/html; charset=utf-8", []byte(m.HTML))
	return nil
}

// withoutSlash is for people who type the address. Only reading is redirected.
func withoutSlash(w http.ResponseWriter, r *http.Request) error {
	target := "/dev/inbox"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusTemporaryRedirect)
	return nil
}

// wantsPage is true for browsers, which name text/html; curl and HTTP libraries say */* or nothing.
func wantsPage(r *http.Request) bool {
	for accept := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		kind, _, _ := strings.Cut(accept, ";")
		if strings.EqualFold(strings.TrimSpace(kind), "text/html") {
			return true
		}
	}
	return false
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		panic(err) // only types of this package get here, and all of them can be written
	}
	write(w, status, "application/json", b.Bytes())
}

func write(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body) // when it fails the client is gone, and there is nobody left to tell
}

// outlive lets an answer take longer than the server's time-outs, which are set for ordinary
// requests. The read deadline counts too: when it passes, the server takes the client for gone.
// Deadlines of a connection are wall-clock time, whatever clock the inbox keeps.
func outlive(w http.ResponseWriter, d time.Duration) {
	rc := http.NewResponseController(w)
	// A writer without deadlines (a recorder, some middleware) has none to move.
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Now().Add(d))
}
