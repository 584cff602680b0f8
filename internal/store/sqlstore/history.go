package sqlstore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// formatHistory writes a history as numbers with spaces between them: the beginning and the count
// of the window of starts, the number of failures, and the times of guesses. Times are milliseconds,
// and the window that has not begun begins at 0.
func formatHistory(h verify.History) string {
	if h.Starts.Count == 0 && h.Starts.Start.IsZero() && h.Failed == 0 && len(h.Times) == 0 {
		return ""
	}
	b := make([]byte, 0, 32+14*len(h.Times))
	b = strconv.AppendInt(b, toMillisOrZero(h.Starts.Start), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(h.Starts.Count), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(h.Failed), 10)
	for _, at := range h.Times {
		b = append(b, ' ')
		b = strconv.AppendInt(b, toMillis(at), 10)
	}
	return string(b)
}

func parseHistory(text string) (h verify.History, err error) {
	if text == "" {
		return h, nil
	}
	n, err := numbers(text, " ", 10)
	if err != nil || len(n) < 3 {
		return h, fmt.Errorf("%q is no history", text)
	}
	if n[0] != 0 {
		h.Starts.Start = fromMillis(n[0])
	}
	h.Starts.Count, h.Failed = int(n[1]), int(n[2])
	for _, at := range n[3:] {
		h.Times = append(h.Times, fromMillis(at))
	}
	return h, nil
}

// formatMeter writes what a meter counts, separated by spaces: each window as "1o/midc1z40/3", the
// interval in seconds, the beginning and the count; a log as "=midc1z40,rs,1jk", the first time and the
// distances from one to the next. The numbers are to the base of 36: meters lie scattered, and the more
// of them a page holds, the fewer pages a commit has to write.
func formatMeter(m *verify.Meter) string {
	b := make([]byte, 0, 16*len(m.Windows)+6*len(m.Log)+8)
	for _, w := range m.Windows {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(w.Interval/time.Second), 36)
		b = append(b, '/')
		b = strconv.AppendInt(b, toMillis(w.Start), 36)
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(w.Count), 36)
	}
	before := int64(0)
	for i, at := range m.Log {
		switch {
		case i > 0:
			b = append(b, ',')
		case len(b) > 0:
			b = append(b, ' ', '=')
		default:
			b = append(b, '=')
		}
		b = strconv.AppendInt(b, toMillis(at)-before, 36)
		before = toMillis(at)
	}
	return string(b)
}

// parseMeter reads what formatMeter wrote into a meter.
func parseMeter(text string, m *verify.Meter) error {
	for field := range strings.FieldsSeq(text) {
		if log, is := strings.CutPrefix(field, "="); is {
			distances, err := numbers(log, ",", 36)
			if err != nil {
				return fmt.Errorf("%q is no log", field)
			}
			at := int64(0)
			for _, d := range distances {
				at += d
				m.Log = append(m.Log, fromMillis(at))
			}
			continue
		}
		n, err := numbers(field, "/", 36)
		if err != nil || len(n) != 3 {
			return fmt.Errorf("%q is no window", field)
		}
		w := verify.MeterWindow{Interval: time.Duration(n[0]) * time.Second}
		w.Start, w.Count = fromMillis(n[1]), int(n[2])
		m.Windows = append(m.Windows, w)
	}
	return nil
}

func numbers(text, separator string, base int) (list []int64, err error) {
	for field := range strings.SplitSeq(text, separator) {
		n, err := strconv.ParseInt(field, base, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}
