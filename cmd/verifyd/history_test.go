package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// The history of a run against many nodes, and the checker that accepts it or not: there must be
// one order of the answered requests, each somewhere between its call and its return, in which a
// single machine would have given the same answers. A request without an answer may stand anywhere
// after its call, also behind everything else, which is as if it had not happened.

// question is a request about one number.
type question struct {
	do   string // start, check, cancel or fetch
	to   string
	code string // of a check
	// patience is after what time the client hangs up, 0 for never.
	patience time.Duration
	// belongsTo is the verification that the code was made for, "" if for none, anyOf if nobody
	// was told.
	belongsTo string
	// from and until are what the clock of the servers showed at the call and at the return, in
	// ticks of the test.
	from, until int
}

const (
	// anyOf stands for a verification whose SID nobody was told.
	anyOf = "?"
	// notTold is a number that an answer does not say.
	notTold = -1
	// noCode is no code of any verification.
	noCode = "no code"

	// The settings of the service: lifeOfACode is in ticks.
	lifeOfACode             = 10
	sendsOfOne, checksOfOne = 5, 5
)

// answer is what a client was told.
type answer struct {
	unknown bool // nothing: it may have been done or not
	refused int  // code of an error, 0 for none
	reason  string

	sid, status   string
	sends, checks int // so far
	expires       int // tick
}

// record is the state of a number on the single machine.
type record struct {
	sid           string
	status        string // "" before the first start
	sends, checks int
	expires       int
}

// next are the states that a number may be in after a question that was answered so. There are none
// if the answer is wrong.
func (r record) next(q question, a answer) (states []record) {
	for _, seen := range r.seen(q.from, q.until) {
		var after []record
		switch q.do {
		case "start":
			after = seen.start(q, a)
		case "check":
			after = seen.check(q, a)
		case "cancel":
			after = seen.cancel(a)
		case "fetch":
			after = seen.fetch(a)
		}
		for _, state := range after {
			if state == seen {
				state = r // who sees that the time is up does not change it
			}
			states = append(states, state)
		}
	}
	return states
}

// over are the reasons of a 404 after the time of an open verification is up.
var over = map[string]string{"pending": "expired", "max_attempts_reached": "max-attempts"}

func (r record) open() bool { return over[r.status] != "" }

// seen is how a state may look at some time of an interval.
func (r record) seen(from, until int) (looks []record) {
	if !r.open() || from < r.expires {
		looks = append(looks, r)
	}
	if r.open() && until >= r.expires {
		r.status = over[r.status]
		looks = append(looks, r)
	}
	return looks
}

func (r record) start(q question, a answer) (states []record) {
	switch {
	case r.status == "max_attempts_reached":
		return r.refuse(a, 60202, "")
	case r.status == "pending" && r.sends >= sendsOfOne:
		return r.refuse(a, 60203, "")
	case r.status == "pending":
		r.sends++
		return r.told(a, "pending")
	}
	if !a.unknown && a.sid == r.sid {
		return nil // one that is over does not come back
	}
	for made := q.from; made <= q.until; made++ {
		fresh := record{sid: anyOf, status: "pending", sends: 1, expires: made + lifeOfACode}
		if a.unknown || a.expires == fresh.expires {
			states = append(states, fresh.told(a, "pending")...)
		}
	}
	return states
}

func (r record) check(q question, a answer) (states []record) {
	if r.status == "max_attempts_reached" {
		return r.refuse(a, 60202, "")
	}
	if r.status != "pending" {
		return r.refuse(a, 20404, r.why())
	}
	r.checks++
	doubtful := q.belongsTo == anyOf || q.belongsTo != "" && r.sid == anyOf
	if doubtful || q.belongsTo == r.sid {
		approved := r
		approved.status = "approved"
		if q.belongsTo != anyOf {
			approved.sid = q.belongsTo
		}
		states = append(states, approved.told(a, "approved")...)
	}
	if doubtful || q.belongsTo != r.sid {
		wrong := r
		if r.checks == checksOfOne {
			wrong.status = "max_attempts_reached"
		}
		states = append(states, wrong.told(a, "pending")...)
	}
	return states
}

func (r record) cancel(a answer) []record {
	if !r.open() {
		return r.refuse(a, 20404, r.why())
	}
	r.status = "canceled"
	return r.told(a, "canceled")
}

func (r record) fetch(a answer) []record {
	switch r.status {
	case "pending", "max_attempts_reached", "canceled":
		return r.told(a, r.status)
	default:
		return r.refuse(a, 20404, r.why())
	}
}

// why is the reason of a 404.
func (r record) why() string {
	if r.status == "" {
		return "never-existed"
	}
	return r.status
}

// refuse is the state after a refusal, if that is what was told.
func (r record) refuse(a answer, code int, reason string) []record {
	if a.unknown || a.refused == code && a.reason == reason {
		return []record{r}
	}
	return nil
}

// told is the state after an answer that shows it, if it does.
func (r record) told(a answer, status string) []record {
	if a.unknown {
		return []record{r}
	}
	if r.sid == anyOf {
		r.sid = a.sid
	}
	same := a.refused == 0 && a.sid == r.sid && a.status == status &&
		(a.sends == notTold || a.sends == r.sends) && (a.checks == notTold || a.checks == r.checks)
	if !same {
		return nil
	}
	return []record{r}
}

// history is what clients asked and were told.
type history struct {
	began time.Time
	tick  func() int // the clock of the servers

	mu  sync.Mutex
	ops []porcupine.Operation
	// owners are the verifications of codes, by number and code.
	owners map[[2]string]string
}

func newHistory(tick func() int) *history {
	return &history{began: time.Now(), tick: tick, owners: map[[2]string]string{}}
}

// owns notes which verification a code was made for.
func (h *history) owns(sid, to, code string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.owners[[2]string{to, code}] = sid
}

var machine = porcupine.NondeterministicModel{
	Init: func() []any { return []any{record{}} },
	Step: func(state, input, output any) (next []any) {
		for _, r := range state.(record).next(input.(question), output.(answer)) {
			next = append(next, r)
		}
		return next
	},
}

// checkTimeout bounds the search for an order.
const checkTimeout = 30 * time.Second

// accept looks for an order, number by number. The error has everything that was asked about the
// number that has none.
func (h *history) accept() error {
	model := machine.ToModel()
	numbers := h.byNumber()
	for _, to := range slices.Sorted(maps.Keys(numbers)) {
		if result := porcupine.CheckOperationsTimeout(model, numbers[to], checkTimeout); result != porcupine.Ok {
			return fmt.Errorf("%s has no order (%s):\n%s", to, result, describe(numbers[to]))
		}
	}
	return nil
}

// byNumber completes the operations with what is known at the end.
func (h *history) byNumber() map[string][]porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	end, lastTick := time.Since(h.began).Nanoseconds(), h.tick()
	numbers := map[string][]porcupine.Operation{}
	for _, op := range h.ops {
		q := op.Input.(question)
		if op.Output.(answer).unknown {
			q.until, op.Return = lastTick, end
		}
		if q.do == "check" && q.code != noCode {
			q.belongsTo = cmp.Or(h.owners[[2]string{q.to, q.code}], anyOf)
		}
		op.Input = q
		numbers[q.to] = append(numbers[q.to], op)
	}
	return numbers
}

// describe lists operations by their calls.
func describe(ops []porcupine.Operation) string {
	ops = slices.SortedFunc(slices.Values(ops), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var text strings.Builder
	for _, op := range ops {
		q := op.Input.(question)
		fmt.Fprintf(&text, "%12s %12s  client %d (patience %s)  tick %d-%d  %s %s: %+v\n", time.Duration(op.Call), time.Duration(op.Return),
			op.ClientId, q.patience, q.from, q.until, q.do, q.belongsTo, op.Output)
	}
	return text.String()
}
