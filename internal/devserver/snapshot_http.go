package devserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// snapshotBody is a snapshot as /dev/snapshots shows it.
type snapshotBody struct {
	Name string `json:"name"`
	// Now is what the clock showed, and shows again when it was restored.
	Now string `json:"now"`
}

func (s *snapshot) body() snapshotBody {
	return snapshotBody{s.name, s.clock.Time().UTC().Format("2006-01-02T15:04:05.000Z")}
}

// snapshotRoutes serves /dev/snapshots. GET lists them, POST with the parameter name takes one,
// POST /dev/snapshots/{name}/restore goes back to one, and DELETE /dev/snapshots/{name} forgets it.
func (d *Server) snapshotRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/snapshots", func(w http.ResponseWriter, _ *http.Request) {
		d.snapshots.mu.Lock()
		defer d.snapshots.mu.Unlock()
		list := []snapshotBody{}
		for i := range d.snapshots.taken {
			list = append(list, d.snapshots.taken[i].body())
		}
		write(w, http.StatusOK, map[string][]snapshotBody{"snapshots": list})
	})
	mux.HandleFunc("POST /dev/snapshots", d.withPatience(func(ctx context.Context, r *http.Request) (any, error) {
		s, err := d.takeSnapshot(ctx, r.FormValue("name"))
		return s.body(), err
	}))
	mux.HandleFunc("POST /dev/snapshots/{name}/restore", d.withPatience(func(ctx context.Context, r *http.Request) (any, error) {
		s, err := d.restoreSnapshot(ctx, r.PathValue("name"))
		return s.body(), err
	}))
	mux.HandleFunc("DELETE /dev/snapshots/{name}", d.withPatience(func(ctx context.Context, r *http.Request) (any, error) {
		return nil, d.dropSnapshot(ctx, r.PathValue("name"))
	}))
	return mux
}

// withPatience is a handler that waits for what is under way to end, and says what came of it.
func (d *Server) withPatience(do func(context.Context, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(resetPatience + 10*time.Second))
		ctx, cancel := context.WithTimeout(r.Context(), resetPatience)
		defer cancel()
		body, err := do(ctx, r)
		wrong, isWrong := errors.AsType[wrongWorld](err)
		switch {
		case isWrong:
			refuse(w, 60200, http.StatusBadRequest, wrong.Error())
		case errors.Is(err, errName) || errors.Is(err, errSnapshots):
			refuse(w, 60200, http.StatusBadRequest, err.Error())
		case errors.Is(err, errNone):
			refuse(w, 20404, http.StatusNotFound, err.Error())
		case err != nil:
			d.Log.Error("cannot "+r.Method+" "+r.URL.Path, "error", err)
			refuse(w, 20500, http.StatusInternalServerError, "An internal server error has occurred")
		case body == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			write(w, http.StatusOK, body)
		}
	}
}

// refuse answers in the format of the API.
func refuse(w http.ResponseWriter, code, status int, message string) {
	write(w, status, struct {
		Code     int    `json:"code"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info"`
		Status   int    `json:"status"`
	}{code, message, fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), status})
}

func write(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
