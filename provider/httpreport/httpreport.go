// Package httpreport answers the calls by which a carrier says what became of a message. It is for
// providers whose carrier reports over HTTP: they say how a call is proved and read, and this
// package does the rest in the one order that is safe.
//
// The order is: cap and take the raw body, prove it byte for byte, read it, have every report
// recorded, and only then answer. A carrier that hears anything but a 2xx calls again, so nothing
// is acknowledged that is not kept, and what was recorded already may be recorded twice.
//
// It does not know which message a report belongs to, nor what follows from it.
package httpreport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// maxBody is what a call may bring. The largest that are known are batches of a thousand small
// records, which carriers cut well below this.
const maxBody = 1 << 20

// ErrLater is of Prove and of Read when a call cannot be judged now, because somebody else has to be
// asked: the carrier is told to call again.
var ErrLater = errors.New("the call cannot be judged now")

// Handler serves the calls of one carrier.
type Handler struct {
	// Methods are those that the carrier calls with, POST where there are none.
	Methods []string
	// Prove says whether a call comes from the carrier. Body is as it arrived. An error is shown to
	// the operator and not to the caller; it must not repeat the body.
	Prove func(r *http.Request, body []byte) error
	// Read takes the reports from a call that was proved; none for states that change nothing. An
	// error must not repeat the body.
	Read func(r *http.Request, body []byte) ([]provider.Report, error)
	// Record is provider.Deps.Report.
	Record func(context.Context, provider.Report) error
	// Reply is what the carrier wants to read in a 200; where it is empty the answer is a 204.
	Reply string
	// Answer, where it is set, is asked instead of Reply when every report is kept: it gives the type
	// and the text of a 200, for a carrier that wants to know how a call goes on, or "" for a 204.
	Answer func(r *http.Request, body []byte) (mediaType, text string)
	Log    *slog.Logger
}

// ServeHTTP answers 204 or 200 when every report is kept, 403 when the call was not proved, 400 when
// it cannot be read, and 503, for the carrier to call again, when a report could not be kept or
// with ErrLater.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	methods := h.Methods
	if len(methods) == 0 {
		methods = []string{http.MethodPost}
	}
	if !slices.Contains(methods, r.Method) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the body cannot be read", status)
		return
	}
	if err := h.Prove(r, body); err != nil {
		h.refuse(w, http.StatusForbidden, "not proved", err)
		return
	}
	reports, err := h.Read(r, body)
	if err != nil {
		h.refuse(w, http.StatusBadRequest, "cannot be read", err)
		return
	}
	if err := h.record(r.Context(), reports); err != nil {
		h.refuse(w, http.StatusServiceUnavailable, "not recorded", err)
		return
	}
	mediaType, text := "text/plain; charset=utf-8", h.Reply
	if h.Answer != nil {
		mediaType, text = h.Answer(r, body)
	}
	if text == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "no-store") // it may hold a code
	io.WriteString(w, text)
}

// record goes on when the carrier hangs up: what it said is true all the same.
func (h *Handler) record(ctx context.Context, reports []provider.Report) error {
	if h.Record == nil && len(reports) > 0 {
		return errors.New("nobody takes reports")
	}
	for _, report := range reports {
		if err := h.Record(context.WithoutCancel(ctx), report); err != nil {
			return err
		}
	}
	return nil
}

// refuse tells the caller little, and the operator why.
func (h *Handler) refuse(w http.ResponseWriter, status int, words string, err error) {
	if errors.Is(err, ErrLater) {
		status, words = http.StatusServiceUnavailable, "later"
	}
	if h.Log != nil {
		h.Log.Warn("a report was not taken", "answer", words, "error", err)
	}
	http.Error(w, words, status)
}
