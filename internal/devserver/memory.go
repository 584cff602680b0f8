package devserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// opened counts the stores of this process: each has a name of its own.
var opened atomic.Int64

// OpenMemory opens a store in memory, with keys that nobody else has, and puts an engine on it. It is empty,
// and gone when it is closed.
func OpenMemory(ctx context.Context, log *slog.Logger) (Store, *verify.Engine, error) {
	keys, err := keyring.New(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	name := fmt.Sprintf("memory:dev%d", opened.Add(1))
	s, err := sqlite.Open(ctx, name, sqlite.Options{Now: time.Now, Log: log})
	if err != nil {
		return nil, nil, err
	}
	return s, verify.NewEngine(s, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true }), nil
}
