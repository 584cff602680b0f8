package main

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"
)

// newLog makes a log; w takes whole lines from many goroutines. A format or level that is unknown
// was refused by package config.
func newLog(w io.Writer, format, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: l}
	if format == "text" {
		return slog.New(&lineHandler{Handler: slog.NewTextHandler(w, options), out: w})
	}
	return slog.New(&lineHandler{Handler: slog.NewJSONHandler(w, options), out: w, json: true})
}

// logBuffer gathers lines, so that a server under load does not pay a system call for each. What
// a server said last is out when Close returns; a process that is killed loses what it said in the
// last logDelay.
type logBuffer struct {
	mu    sync.Mutex
	out   io.Writer
	lines []byte
	timer *time.Timer // runs while there are lines
	err   error       // of writes that nobody waited for
}

const (
	// logDelay is too short to notice for who follows the log, and long against a request.
	logDelay = 50 * time.Millisecond
	// logSize bounds the buffer.
	logSize = 64 << 10
)

func newLogBuffer(out io.Writer) *logBuffer {
	b := &logBuffer{out: out}
	b.timer = time.AfterFunc(time.Hour, b.flush)
	b.timer.Stop()
	return b
}

// Write takes one line.
func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines) == 0 {
		b.timer.Reset(logDelay)
	}
	b.lines = append(b.lines, line...)
	if len(b.lines) >= logSize {
		b.write()
	}
	return len(line), nil
}

func (b *logBuffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write()
}

func (b *logBuffer) write() {
	if len(b.lines) == 0 {
		return
	}
	if _, err := b.out.Write(b.lines); err != nil {
		b.err = errors.Join(errors.New("the log cannot be written"), err)
	}
	b.lines = b.lines[:0]
}

// Close writes what is left.
func (b *logBuffer) Close() error {
	b.timer.Stop()
	b.flush()
	return b.err
}
