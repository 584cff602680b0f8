package postgres

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

func TestAnOutageIsWaitedForAtFirstAndThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outage
		if err := o.mayTry(); err != nil {
			t.Fatalf("without an outage: %v", err)
		}
		if err := o.tried(io.EOF); !errors.Is(err, verify.ErrUnavailable) {
			t.Errorf("a failed try: %v, want ErrUnavailable", err)
		}
		began := time.Now()
		for o.wait() {
		}
		if waited := time.Since(began); waited < patience || waited > patience+pauseStep {
			t.Errorf("waited for %s, want %s", waited, patience)
		}
		began = time.Now()
		if o.wait() || time.Since(began) != 0 {
			t.Error("a known outage is still waited for")
		}
		if err := o.tried(nil); err != nil || !o.wait() {
			t.Errorf("the end of the outage is not seen: %v", err)
		}
	})
}

func TestOneTriesAtATimeWithPausesThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outage
		_ = o.tried(io.EOF)
		tries := 0
		for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(time.Millisecond) {
			if o.mayTry() != nil {
				continue
			}
			tries++
			if o.mayTry() == nil {
				t.Fatal("two try at once")
			}
			_ = o.tried(io.EOF)
		}
		if least, most := 30, 130; tries < least || tries > most { // the pauses are 0.5 to 1.5 s in the end
			t.Errorf("%d tries in a minute, want %d to %d", tries, least, most)
		}
	})
}
