package devserver

import (
	"context"
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/world"
)

// wrongWorld says that the file of the test world is wrong.
type wrongWorld struct{ error }

func (w wrongWorld) Unwrap() error { return w.error }

// reset puts everything back to how it was at the start, but for the clock: the account keeps its
// credentials, the first service its SID. The test world is that of its file as it is now; one that cannot be
// read resets nothing, of one that the API refuses there is what came before the refusal.
func (d *Server) reset(ctx context.Context) error {
	wanted, err := d.made.readWorld()
	if err != nil {
		return wrongWorld{err}
	}
	return d.parts.clock.Hold(func() error { return d.startOver(ctx, wanted) })
}

// startOver empties everything, and makes the world.
func (d *Server) startOver(ctx context.Context, wanted *world.World) error {
	if err := d.parts.work.Settle(ctx); err != nil {
		return err
	}
	if err := d.made.Store.Reset(ctx); err != nil {
		return err
	}
	again := d.made
	again.Account, again.Token = d.World.Account, d.World.Token
	again.Environ = append([]string{"=" + d.World.Service}, again.Environ...) // by its name the first of all
	_, err := prepare(ctx, d.Engine, again, wanted)
	d.startAgain(wanted.Rules) // in any case: what the memory has is about records that are gone
	return err
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
	d.withPatience(func(ctx context.Context, _ *http.Request) (any, error) { return nil, d.reset(ctx) })(w, r)
}
