package sid

import "time"

// KeysPerHour and KeysPerDay are how many keys the SIDs of an hour and of a day have.
const (
	KeysPerHour = int64(time.Hour/time.Microsecond) << noiseBits
	KeysPerDay  = 24 * KeysPerHour
)

// KeyAt is the lowest key that a SID minted at t can have: what was minted before has a lower one.
// It is 0 for a time before the first that a SID can tell.
func KeyAt(t time.Time) int64 {
	return max(0, t.Sub(epoch).Microseconds()) & (1<<timeBits - 1) << noiseBits
}

// Minted is the time at which New minted a SID, to the microsecond.
func Minted(s string) time.Time {
	return epoch.Add(time.Duration(Key(s)>>noiseBits) * time.Microsecond)
}

// HourOfKey is the hour, counted from 1 January 2024 in UTC, in which a SID with that key was minted.
func HourOfKey(key int64) int64 { return key / KeysPerHour }

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
