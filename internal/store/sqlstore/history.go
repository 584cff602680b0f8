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
	if h.Starts.Count == 0 && h.Starts.Start.IsZero() && h.Failed == 0 && len(h.Guesses) == 0 {
		return ""
	}
	b := make([]byte, 0, 32+14*len(h.Guesses))
	b = strconv.AppendInt(b, toMillisOrZero(h.Starts.Start), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(h.Starts.Count), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(h.Failed), 10)
	for _, at := range h.Guesses {
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
		h.Guesses = append(h.Guesses, fromMillis(at))
	}
	return h, nil
}

// formatWindows writes windows as "1o/midc1z40/3", the interval in seconds, the beginning and the
// count, separated by spaces. The numbers are to the base of 36: meters lie scattered, and the more
// of them a page holds, the fewer pages a commit has to write.
func formatWindows(windows []verify.MeterWindow) string {
	b := make([]byte, 0, 16*len(windows))
	for i, w := range windows {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(w.Interval/time.Second), 36)
		b = append(b, '/')
		b = strconv.AppendInt(b, toMillis(w.Start), 36)
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(w.Count), 36)
	}
	return string(b)
}

func parseWindows(text string) ([]verify.MeterWindow, error) {
	var windows []verify.MeterWindow
	for field := range strings.FieldsSeq(text) {
		n, err := numbers(field, "/", 36)
		if err != nil || len(n) != 3 {
			return nil, fmt.Errorf("%q is no window", field)
		}
		w := verify.MeterWindow{Interval: time.Duration(n[0]) * time.Second}
		w.Start, w.Count = fromMillis(n[1]), int(n[2])
		windows = append(windows, w)
	}
	return windows, nil
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
