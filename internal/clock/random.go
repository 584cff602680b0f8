package clock

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
)

// Random is a source of randomness that has the clock tick with every read, so that what is minted while
// it stands still differs.
func (c *Clock) Random(source io.Reader) io.Reader { return &ticking{clock: c, source: source} }

type ticking struct {
	clock  *Clock
	mu     sync.Mutex
	source io.Reader
}

func (t *ticking) Read(b []byte) (int, error) {
	t.clock.Tick()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.source.Read(b)
}

// Seeded is a source that is the same for the same seed: codes that it makes can be told beforehand. It is
// not safe for concurrent use; Random makes it so.
func Seeded(seed uint64) io.Reader {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	return rand.NewChaCha8(key)
}
