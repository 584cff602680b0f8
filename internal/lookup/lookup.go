// Package lookup asks a service of the operator's own what is known of a telephone number: the kind
// of line, and who carries it now. It is for services that have LookupEnabled, when the numbering
// plan, which the domain knows by itself, is not enough: plans do not know ported numbers.
//
// The contract is one call:
//
//	POST {url}
//	Authorization: Bearer {secret}
//	{"number":"+34612345678"}
//
//	200 {"type":"mobile","carrier":"Movistar","mobile_country_code":"214","mobile_network_code":"07"}
//
// type is mobile, landline or voip; what is not known is left out or null. Any other status is a
// failure. Nobody waits longer than Timeout, and an answer is remembered for a day.
package lookup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

const (
	// Timeout is how long a start may wait for an answer.
	Timeout = 1500 * time.Millisecond
	// keep is how long an answer is good: numbers are ported in days.
	keep = 24 * time.Hour
	// maxKept bounds the memory of answers, to some megabytes; a memory that is full starts anew.
	maxKept = 20_000
	// maxAnswer bounds what is read of an answer, in bytes, and maxText each text in it.
	maxAnswer = 16 << 10
	maxText   = 64
)

// Source asks one service. It is safe for concurrent use.
type Source struct {
	url    string
	secret string
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	mu   sync.Mutex
	kept map[string]answer
}

type answer struct {
	line  verify.Line
	until time.Time
}

// New makes a source that asks at an address, a URL. secret may be empty.
func New(address, secret string, client *http.Client, now func() time.Time, log *slog.Logger) *Source {
	return &Source{url: address, secret: secret, client: client, now: now, log: log, kept: map[string]answer{}}
}

// Line implements verify.Lines.
func (s *Source) Line(ctx context.Context, number string) (verify.Line, error) {
	s.mu.Lock()
	known, found := s.kept[number]
	s.mu.Unlock()
	if found && s.now().Before(known.until) {
		return known.line, nil
	}
	line, err := s.ask(ctx, number)
	if err != nil {
		s.log.Warn("nothing was learnt of a number", "error", err)
		return line, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= maxKept {
		s.kept = map[string]answer{}
	}
	s.kept[number] = answer{line, s.now().Add(keep)}
	return line, nil
}

func (s *Source) ask(ctx context.Context, number string) (verify.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	question, err := json.Marshal(map[string]string{"number": number})
	if err != nil {
		return verify.Line{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(question))
	if err != nil {
		return verify.Line{}, errors.New("lookup: the URL cannot be called")
	}
	r.Header.Set("Content-Type", "application/json")
	if s.secret != "" {
		r.Header.Set("Authorization", "Bearer "+s.secret)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, whose query may have a key in it
		}
		return verify.Line{}, fmt.Errorf("lookup: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return verify.Line{}, fmt.Errorf("lookup: %w", err)
	case resp.StatusCode != http.StatusOK:
		return verify.Line{}, fmt.Errorf("lookup: the service answers %s", resp.Status)
	}
	return parse(body)
}

// parse reads an answer.
func parse(body []byte) (verify.Line, error) {
	if len(body) > maxAnswer {
		return verify.Line{}, fmt.Errorf("lookup: the answer is longer than %d bytes", maxAnswer)
	}
	var a struct {
		Type    verify.LineType `json:"type"`
		Carrier string          `json:"carrier"`
		MCC     string          `json:"mobile_country_code"`
		MNC     string          `json:"mobile_network_code"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return verify.Line{}, fmt.Errorf("lookup: the answer is not the JSON it should be: %w", err)
	}
	switch a.Type {
	case "", verify.Mobile, verify.Landline, verify.VoIP:
	default:
		return verify.Line{}, fmt.Errorf("lookup: type %.20q is none of mobile, landline, voip", a.Type)
	}
	for _, text := range []string{a.Carrier, a.MCC, a.MNC} {
		if len(text) > maxText || bytes.IndexByte([]byte(text), 0) >= 0 {
			return verify.Line{}, fmt.Errorf("lookup: a text in the answer is longer than %d bytes, or has a NUL in it", maxText)
		}
	}
	return verify.Line{Type: a.Type, Carrier: a.Carrier, MCC: a.MCC, MNC: a.MNC}, nil
}
