package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"
)

// slogHandler is what a lineHandler has to agree with.
func slogHandler(out io.Writer, json bool) slog.Handler {
	if json {
		return slog.NewJSONHandler(out, nil)
	}
	return slog.NewTextHandler(out, nil)
}

// agree writes one record with both handlers and compares the bytes.
func agree(t *testing.T, r slog.Record) {
	t.Helper()
	for _, json := range []bool{false, true} {
		var want, got bytes.Buffer
		if err := slogHandler(&want, json).Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		fast := &lineHandler{Handler: slogHandler(&got, json), out: &got, json: json}
		if err := fast.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("json %t: got  %sslog says %s", json, &got, &want)
		}
	}
}

func TestLinesAreThoseOfSlog(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, when := range []time.Time{
		at, at.Add(time.Nanosecond), at.Add(120 * time.Millisecond), at.Add(999_999_999), time.Now(), {},
		at.In(time.FixedZone("", 5*3600+1800)), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		agree(t, slog.NewRecord(when, slog.LevelInfo, "request", 0))
	}
	texts := []string{"", "word", "two words", "a=b", `"`, `\`, "\n", "\x7f", "\x00", "é", "·······93", "+3 ·······93",
		"\u2028", "a\u00a0b", "a \u2028", "\xff", "a \xff", "日本", "<b>&", "\u200b", " \u200b", "🙂", "a 🙂"}
	for _, text := range texts {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelError, slog.LevelWarn + 1} {
			r := slog.NewRecord(at, level, text, 0)
			r.AddAttrs(slog.String("a", text), slog.String(text, "b"))
			agree(t, r)
		}
	}
	for _, a := range []slog.Attr{
		slog.Int("n", -42), slog.Int64("n", 1<<62), slog.Duration("took", 1234567), slog.Duration("took", 0),
		slog.Bool("b", true), slog.Uint64("u", 1<<63), slog.Float64("f", 1.5), slog.Time("t", at),
		slog.Any("error", errors.New("broken")), slog.Any("nil", nil), slog.Group("g", slog.Int("n", 1)), {},
	} {
		r := slog.NewRecord(at, slog.LevelInfo, "request", 0)
		r.AddAttrs(slog.String("before", "x"), a, slog.String("after", "y"))
		agree(t, r)
	}
}

func FuzzLinesAreThoseOfSlog(f *testing.F) {
	f.Add("request", "key", "value", int64(0), int64(1))
	f.Fuzz(func(t *testing.T, message, key, value string, nanos, n int64) {
		r := slog.NewRecord(time.Unix(0, nanos).UTC(), slog.LevelInfo, message, 0)
		r.AddAttrs(slog.String(key, value), slog.Int64("n", n), slog.Duration("took", time.Duration(n)))
		agree(t, r)
	})
}

func TestAttributesOfALoggerAreKept(t *testing.T) {
	var out bytes.Buffer
	newLog(&out, "text", "info").With("node", 1).WithGroup("g").Info("up", "a", "b")
	if want := []byte(" msg=up node=1 g.a=b\n"); !bytes.HasSuffix(out.Bytes(), want) {
		t.Errorf("got %q, want it to end in %q", out.Bytes(), want)
	}
}

func BenchmarkLogLine(b *testing.B) {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
	r.AddAttrs(slog.String("request", "RQ00000000000000000000000000000000"), slog.String("method", "POST"),
		slog.String("route", "/v2/Services/{ServiceSid}/Verifications"), slog.Int("status", 201), slog.Int("bytes", 950),
		slog.Duration("took", 1234567), slog.String("account", "AC00000000000000000000000000000000"))
	for name, h := range map[string]slog.Handler{
		"slog":    slogHandler(io.Discard, false),
		"verifyd": &lineHandler{Handler: slogHandler(io.Discard, false), out: io.Discard},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Handle(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
