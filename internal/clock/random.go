package clock

import (
	"encoding"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
)

// Random is a source of randomness that has the clock tick with every read, so that what is minted while
// it stands still differs.
func (c *Clock) Random(source io.Reader) *Random { return &Random{clock: c, source: source} }

// Random is a source whose clock ticks. It is safe for concurrent use.
type Random struct {
	clock  *Clock
	mu     sync.Mutex
	source io.Reader
}

// Read implements io.Reader.
func (r *Random) Read(b []byte) (int, error) {
	r.clock.Tick()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(b)
}

// repeatable is a source that can be told to go on from where it was.
type repeatable interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// Save notes where a seeded source is; of another it is nil.
func (r *Random) Save() (state []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if source, ok := r.source.(repeatable); ok {
		return source.MarshalBinary()
	}
	return nil, nil
}

// Restore has a seeded source go on from where it was; another one is not touched.
func (r *Random) Restore(state []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if source, ok := r.source.(repeatable); ok {
		return source.UnmarshalBinary(state)
	}
	return nil
}

// Seeded is a source that is the same for the same seed: codes that it makes can be told beforehand. It is
// not safe for concurrent use; Random makes it so.
func Seeded(seed uint64) io.Reader {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	return rand.NewChaCha8(key)
}
