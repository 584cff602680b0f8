package clock

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

const (
	// maxAdvance is far beyond the life of anything.
	maxAdvance = 10 * 366 * 24 * time.Hour
	// patience is how long a move may take: it waits for webhooks to be answered.
	patience = time.Minute
	stamp    = "2006-01-02T15:04:05.000Z"
)

// Handler serves /dev/clock. GET is what the clock shows. POST moves it, with one of the parameters
// freeze=true, resume=true, next=true and advance=10m, and answers what it shows then. It
// asks nobody for a password, so it belongs behind a gate (package gate).
func (c *Clock) Handler(w Work) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/clock", func(out http.ResponseWriter, r *http.Request) { c.show(out, r.Context(), w) })
	mux.HandleFunc("POST /dev/clock", func(out http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(out)
		_ = control.SetReadDeadline(time.Time{}) // a recorder has none
		_ = control.SetWriteDeadline(time.Now().Add(patience + 10*time.Second))
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		err := c.steer(ctx, r, w)
		switch {
		case errors.Is(err, errParameter):
			refuse(out, 60200, http.StatusBadRequest, "Invalid parameter: "+err.Error())
		case err != nil:
			refuse(out, 20500, http.StatusInternalServerError, "What is due was not done in time: "+err.Error())
		default:
			c.show(out, ctx, w)
		}
	})
	return mux
}

var errParameter = errors.New("want one of freeze=true, resume=true, next=true, advance=10m")

func (c *Clock) steer(ctx context.Context, r *http.Request, w Work) error {
	if err := r.ParseForm(); err != nil || len(r.Form) != 1 {
		return errParameter
	}
	advance, wants := r.Form["advance"]
	switch {
	case wants:
		d, err := time.ParseDuration(cmp.Or(advance[0], "x"))
		if err != nil || d < 0 || d > maxAdvance {
			return errParameter
		}
		return c.Advance(ctx, d, w)
	case r.Form.Get("freeze") == "true":
		c.Freeze()
		return nil
	case r.Form.Get("resume") == "true":
		c.Resume()
		return nil
	case r.Form.Get("next") == "true":
		_, err := c.RunToNext(ctx, w)
		return err
	default:
		return errParameter
	}
}

// MarshalJSON writes a state as /dev/clock does; next is null if nothing is due.
func (s State) MarshalJSON() ([]byte, error) {
	text := struct {
		Now    string  `json:"now"`
		Frozen bool    `json:"frozen"`
		Next   *string `json:"next"`
	}{Now: s.Now.UTC().Format(stamp), Frozen: s.Frozen}
	if !s.Next.IsZero() {
		text.Next = new(s.Next.UTC().Format(stamp))
	}
	return json.Marshal(text)
}

func (c *Clock) show(out http.ResponseWriter, ctx context.Context, w Work) {
	s := c.State()
	due, found, err := w.Next(ctx)
	if err != nil {
		refuse(out, 20500, http.StatusInternalServerError, "An internal server error has occurred")
		return
	}
	if found {
		s.Next = due
	}
	write(out, http.StatusOK, s)
}

func refuse(out http.ResponseWriter, code, status int, message string) {
	write(out, status, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  int    `json:"status"`
	}{code, message, status})
}

func write(out http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only types of this package get here, and all of them can be written
	}
	h := out.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	out.WriteHeader(status)
	_, _ = out.Write(append(text, '\n'))
}
