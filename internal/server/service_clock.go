package server

import (
	"context"
	"net/http"
	"regexp"
	"sync"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/verify"
)

// In dev a service can have a time of its own (see EngineOf). It is then served, and its jobs are carried out,
// by an engine with that time and otherwise by the same code.

// byService is a worker that has the jobs of such a service done by a worker with its engine.
type byService struct {
	server *Server
	usual  queue.Worker
	with   func(*verify.Engine) queue.Worker
	made   perEngine[queue.Worker]
}

// worker is one for all services. with makes it for an engine.
func (s *Server) worker(with func(*verify.Engine) queue.Worker) queue.Worker {
	usual := with(s.Engine)
	if s.EngineOf == nil {
		return usual
	}
	return &byService{server: s, usual: usual, with: with}
}

// Work implements queue.Worker.
func (b *byService) Work(ctx context.Context, job verify.Job) error {
	if b.server.EngineOf("") == nil { // nobody has
		return b.usual.Work(ctx, job)
	}
	service, err := factor.NewEngine(b.server.Engine).ServiceOf(ctx, job.Ref)
	if err != nil {
		return err
	}
	if e := b.server.EngineOf(service); service != "" && e != nil {
		return b.made.of(e, b.with).Work(ctx, job)
	}
	return b.usual.Work(ctx, job)
}

// perEngine keeps one of a kind for every engine: there are no more of them than services had a time of
// their own.
type perEngine[T any] struct {
	mu   sync.Mutex
	made map[*verify.Engine]T
}

func (p *perEngine[T]) of(e *verify.Engine, with func(*verify.Engine) T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, known := p.made[e]
	if !known {
		if p.made == nil {
			p.made = map[*verify.Engine]T{}
		}
		found = with(e)
		p.made[e] = found
	}
	return found
}

var (
	pathOfService = regexp.MustCompile(`^/v2/Services/(VA[0-9a-f]{32})(/|$)`)
	pathOfAll     = regexp.MustCompile(`^/v2/(Attempts|Verifyd)(/|$)`)
)

// rest is the API.
func (s *Server) rest() http.Handler {
	with := func(e *verify.Engine) http.Handler { return api.New(e, s.PublicURL, s.Log) }
	usual := with(s.Engine)
	if s.EngineOf == nil {
		return usual
	}
	var made perEngine[http.Handler]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e *verify.Engine
		if m := pathOfService.FindStringSubmatch(r.URL.Path); m != nil {
			e = s.EngineOf(m[1])
		} else if pathOfAll.MatchString(r.URL.Path) {
			e = s.EngineOf("")
		}
		if e == nil {
			usual.ServeHTTP(w, r)
			return
		}
		made.of(e, with).ServeHTTP(w, r)
	})
}
