package main

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writes keeps what each system call would have written.
type writes struct {
	each []string
	err  error
}

func (w *writes) Write(b []byte) (int, error) {
	w.each = append(w.each, string(b))
	return len(b), w.err
}

func TestLogLinesAreWrittenTogetherAndSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		b := newLogBuffer(&out)
		log := newLog(b, "text", "info")
		log.Info("one")
		log.Info("two")
		log.Debug("never")
		time.Sleep(logDelay)
		synctest.Wait()
		if len(out.each) != 1 || strings.Count(out.each[0], "\n") != 2 {
			t.Errorf("after %s there were the writes %q", logDelay, out.each)
		}
		log.Info(strings.Repeat("x", logSize)) // it does not wait for more
		if len(out.each) != 2 {
			t.Errorf("a full buffer was not written: %d writes", len(out.each))
		}
		log.Info("last words")
		if err := b.Close(); err != nil || len(out.each) != 3 || !strings.Contains(out.each[2], "last words") {
			t.Errorf("at the end: %v, %d writes", err, len(out.each))
		}
	})
}

func TestALogThatCannotBeWrittenIsNotForgotten(t *testing.T) {
	full := errors.New("no space left on device")
	b := newLogBuffer(&writes{err: full})
	newLog(b, "json", "info").Info("one")
	if err := b.Close(); !errors.Is(err, full) {
		t.Errorf("Close says %v", err)
	}
}
