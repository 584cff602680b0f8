package devserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// errKept says that a store cannot be emptied.
var errKept = errors.New("a PostgreSQL is not emptied: drop the database, or use one in a data folder")

// wrongWorld says that the file of the test world is wrong. Nothing was reset.
type wrongWorld struct{ error }

// reset puts everything back to how it was at the start, but for the clock: the account keeps its
// credentials, the first service its SID. The test world is that of its file as it is now.
func (d *Server) reset(ctx context.Context) error {
	store, ok := d.Store.(interface{ Reset(context.Context) error })
	if !ok {
		return errKept
	}
	wanted, err := d.made.readWorld()
	if err != nil {
		return wrongWorld{err}
	}
	if err := d.Settle(ctx); err != nil {
		return err
	}
	if err := store.Reset(ctx); err != nil {
		return err
	}
	again := d.made
	again.Account, again.Token = d.World.Account, d.World.Token
	again.Environ = append([]string{"=" + d.World.Service}, again.Environ...) // by its name the first of all
	if _, err := prepare(ctx, d.Engine, again, wanted); err != nil {
		return err
	}
	d.startAgain(wanted.Rules)
	return nil
}

// resetPatience is how long what is under way may take to end.
const resetPatience = 30 * time.Second

// serveReset is POST /dev/reset.
func (d *Server) serveReset(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, 20004, http.StatusMethodNotAllowed, "Method not allowed")
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(resetPatience + 10*time.Second))
	ctx, cancel := context.WithTimeout(r.Context(), resetPatience)
	defer cancel()
	err := d.reset(ctx)
	_, isWrong := errors.AsType[wrongWorld](err)
	switch {
	case isWrong:
		refuse(w, 60200, http.StatusBadRequest, err.Error())
	case errors.Is(err, errKept):
		refuse(w, 20501, http.StatusNotImplemented, err.Error())
	case err != nil:
		d.Log.Error("cannot reset", "error", err)
		refuse(w, 20500, http.StatusInternalServerError, "An internal server error has occurred")
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func refuse(w http.ResponseWriter, code, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":%d,"message":%q,"status":%d}`+"\n", code, message, status)
}
