package sid

import "time"

// KeysPerDay is how many keys the SIDs of a day have.
const KeysPerDay = int64(24*time.Hour/time.Microsecond) << noiseBits

// KeyAt is the lowest key that a SID minted at t can have: what was minted before has a lower one.
// It is 0 for a time before the first that a SID can tell.
func KeyAt(t time.Time) int64 {
	return max(0, t.Sub(epoch).Microseconds()) & (1<<timeBits - 1) << noiseBits
}

// Day is a day in UTC, as the number of those that lie between it and 1 January 2024.
type Day int64

// DayOf is the day of a time that a SID can tell.
func DayOf(t time.Time) Day { return DayOfKey(KeyAt(t)) }

// DayOfKey is the day on which a SID with that key was minted.
func DayOfKey(key int64) Day { return Day(key / KeysPerDay) }

// FirstKey is the lowest key of the day. The keys of a day end before the next one's first.
func (d Day) FirstKey() int64 { return int64(d) * KeysPerDay }

// dayLayout is YYYYMMDD.
const dayLayout = "20060102"

// String is the day as YYYYMMDD.
func (d Day) String() string { return epoch.AddDate(0, 0, int(d)).Format(dayLayout) }

// ParseDay reads what String wrote.
func ParseDay(text string) (Day, bool) {
	t, err := time.Parse(dayLayout, text)
	if err != nil || t.Before(epoch) || t.After(lastDay) {
		return 0, false
	}
	return DayOf(t), true
}

// lastDay is the last day of which every moment has a key.
var lastDay = time.Date(2095, 5, 8, 0, 0, 0, 0, time.UTC)
