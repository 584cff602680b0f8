package sip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/provider"
)

// engine is a voice that a program makes while the call is prepared: it reads the words from its
// standard input and writes a WAV file to its standard output. In its arguments {language} and
// {voice} are filled in. The words hold no code: that is asked for character by character, and what
// was said once is kept.
type engine struct {
	command []string
	voices  map[string]string // the program's names of languages
	running chan struct{}     // one for each program that may run at once

	mu   sync.Mutex
	said map[phrase][]byte
}

const (
	engineTimeout = 5 * time.Second
	// maxEngines is how many programs run at once. They compute.
	maxEngines = 2
	// maxSaid is some 4 MB of sentences. They differ by language and by the name of the service.
	maxSaid = 200
	// maxWAV is a minute of stereo at 48 kHz.
	maxWAV = 12 << 20
)

func newEngine(command []string, voices map[string]string) *engine {
	return &engine{command: command, voices: voices, running: make(chan struct{}, maxEngines), said: map[phrase][]byte{}}
}

func (e *engine) say(ctx context.Context, p phrase) ([]byte, error) {
	e.mu.Lock()
	sound := e.said[p]
	e.mu.Unlock()
	if sound != nil {
		return sound, nil
	}
	sound, err := e.speak(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("speech_command: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.said) >= maxSaid {
		clear(e.said)
	}
	e.said[p] = sound
	return sound, nil
}

// speak runs the program.
func (e *engine) speak(ctx context.Context, p phrase) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	select {
	case e.running <- struct{}{}:
		defer func() { <-e.running }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	args := e.arguments(p)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(p.text + "\n")
	wav := &limitedBuffer{room: maxWAV}
	complaint := &limitedBuffer{room: 4 << 10, drop: true}
	cmd.Stdout, cmd.Stderr = wav, complaint
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, provider.Excerpt(complaint.String(), provider.Message{}))
	}
	samples, rate, err := readWAV(wav.Bytes())
	if err != nil {
		return nil, err
	}
	sound := telephone(samples, rate)
	if len(sound) == 0 {
		return nil, fmt.Errorf("it is silent in %q", p.language)
	}
	return sound, nil
}

func (e *engine) arguments(p phrase) []string {
	name := p.language
	for tag := p.language; tag != ""; tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)] {
		if v := e.voices[tag]; v != "" {
			name = v
			break
		}
	}
	if v := e.voices[p.voice]; v != "" {
		name = v
	}
	fill := strings.NewReplacer("{language}", p.language, "{voice}", name)
	args := make([]string, len(e.command))
	for i, arg := range e.command {
		args[i] = arg
		if i > 0 {
			args[i] = fill.Replace(arg)
		}
	}
	return args
}

// limitedBuffer takes so many bytes; then it fails, or drops the rest.
type limitedBuffer struct {
	bytes.Buffer
	room int
	drop bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if len(p) <= b.room {
		b.room -= len(p)
		return b.Buffer.Write(p)
	}
	if b.drop {
		return len(p), nil
	}
	return 0, errors.New("it says too much")
}
