package inbox

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// minter gives out SIDs that sort in the order they were given out: "SM", 48 bits of Unix
// milliseconds, 16 bits that count within the millisecond, 64 random bits. It is used under the
// inbox's lock.
type minter struct {
	rand io.Reader
	n    uint64 // the first 64 bits of last
	last string
}

// next never goes back, whatever the clock does: when it stands still or runs backwards, the count
// goes on and borrows from the future.
func (m *minter) next(now time.Time) string {
	m.n = max(m.n+1, uint64(max(now.UnixMilli(), 0))<<16)
	var random [8]byte
	// The first half is unique already. A reader that fails costs only the difference from
	// another process, and a message must not be refused for that.
	_, _ = io.ReadFull(m.rand, random[:])
	m.last = fmt.Sprintf("SM%016x%x", m.n, random)
	return m.last
}

func validSID(s string) bool {
	digits, ok := strings.CutPrefix(s, "SM")
	if !ok || len(digits) != 32 || strings.ToLower(digits) != digits {
		return false
	}
	_, err := hex.DecodeString(digits)
	return err == nil
}

func bySID(m *Message, sid string) int { return strings.Compare(m.SID, sid) }
