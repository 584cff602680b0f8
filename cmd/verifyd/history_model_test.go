package main

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// told is an operation that was over before the next one began.
type told struct {
	q question
	a answer
}

const someone = "+34612345678"

func started(sid string, sends int) told {
	return told{question{do: "start"}, answer{sid: sid, status: "pending", sends: sends, checks: notTold, expires: lifeOfACode}}
}

func checked(sid, code, status string, checks int) told {
	return told{question{do: "check", code: code}, answer{sid: sid, status: status, sends: notTold, checks: checks}}
}

func fetched(sid, status string, sends, checks int) told {
	return told{question{do: "fetch"}, answer{sid: sid, status: status, sends: sends, checks: checks}}
}

func canceled(sid string) told {
	return told{question{do: "cancel"}, answer{sid: sid, status: "canceled", sends: notTold, checks: notTold}}
}

func refused(do string, code int, reason string) told {
	return told{question{do: do, code: noCode}, answer{refused: code, reason: reason}}
}

func lost(do, code string) told {
	return told{question{do: do, code: code}, answer{unknown: true}}
}

// at moves an operation to an interval of the clock.
func (o told) at(from, until int) told {
	o.q.from, o.q.until = from, until
	return o
}

func repeat(n int, o told) (all []told) {
	for range n {
		all = append(all, o)
	}
	return all
}

func join(parts ...[]told) (all []told) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// The codes are "1" of VE1 and "2" of VE2.
func TestTheCheckerOfHistories(t *testing.T) {
	start := []told{started("VE1", 1)}
	wrong := func(n int) []told { return repeat(n, checked("VE1", noCode, "pending", notTold)) }
	for name, c := range map[string]struct {
		history []told
		right   bool
	}{
		"nothing": {nil, true},
		"approved, and started again": {[]told{started("VE1", 1), checked("VE1", noCode, "pending", 1),
			checked("VE1", "1", "approved", 2), refused("fetch", 20404, "approved"), started("VE2", 1)}, true},
		"five sends, then a refusal": {[]told{started("VE1", 1), started("VE1", 2), started("VE1", 3), started("VE1", 4),
			started("VE1", 5), refused("start", 60203, ""), fetched("VE1", "pending", 5, 0)}, true},
		"five checks, then refusals": {join(start, wrong(5), []told{refused("check", 60202, ""), refused("start", 60202, ""),
			fetched("VE1", "max_attempts_reached", 1, 5), canceled("VE1"), started("VE2", 1)}), true},
		"expired": {[]told{started("VE1", 1), refused("check", 20404, "expired").at(10, 10), started("VE1", 2).at(9, 9)}, true},
		"on the edge of its time": {[]told{started("VE1", 1), refused("check", 20404, "expired").at(9, 10),
			checked("VE1", "1", "approved", 1).at(9, 10)}, true},
		"spent, then over":                              {join(start, wrong(5), []told{refused("check", 20404, "max-attempts").at(10, 10)}), true},
		"a lost start that happened":                    {[]told{lost("start", ""), fetched("VE1", "pending", 1, 0)}, true},
		"a lost start that did not":                     {[]told{lost("start", ""), refused("fetch", 20404, "never-existed")}, true},
		"a lost start that happened late":               {[]told{lost("start", ""), refused("fetch", 20404, "never-existed"), fetched("VE1", "pending", 1, 0)}, true},
		"a lost check that counted":                     {[]told{started("VE1", 1), lost("check", noCode), fetched("VE1", "pending", 1, 1)}, true},
		"a lost check that approved":                    {[]told{started("VE1", 1), lost("check", "1"), refused("fetch", 20404, "approved")}, true},
		"a lost start, whose code approved":             {[]told{lost("start", ""), checked("VE1", "1", "approved", 1), refused("check", 20404, "approved")}, true},
		"a code of nobody knows which, which was right": {[]told{started("VE1", 1), checked("VE1", "9", "approved", 1)}, true},

		"approved twice":                    {[]told{started("VE1", 1), checked("VE1", "1", "approved", 1), checked("VE1", "1", "approved", 2)}, false},
		"approved by a wrong code":          {[]told{started("VE1", 1), checked("VE1", noCode, "approved", 1)}, false},
		"approved by another one's code":    {[]told{started("VE1", 1), canceled("VE1"), started("VE2", 1), checked("VE2", "1", "approved", 1)}, false},
		"a right code that was wrong":       {[]told{started("VE1", 1), checked("VE1", "1", "pending", 1)}, false},
		"a sixth comparison":                {join(start, wrong(6)), false},
		"a sixth comparison, that approves": {join(start, wrong(5), []told{checked("VE1", "1", "approved", notTold)}), false},
		"a refusal after four checks":       {join(start, wrong(4), []told{refused("check", 60202, "")}), false},
		"a start gets around spent checks":  {join(start, wrong(5), []told{started("VE2", 1)}), false},
		"a check that was not counted":      {[]told{started("VE1", 1), checked("VE1", noCode, "pending", 1), checked("VE1", noCode, "pending", 1)}, false},
		"a check that was counted twice":    {[]told{started("VE1", 1), checked("VE1", noCode, "pending", 2)}, false},
		"a sixth send":                      {[]told{started("VE1", 1), started("VE1", 2), started("VE1", 3), started("VE1", 4), started("VE1", 5), started("VE1", 6)}, false},
		"an acknowledged start is lost":     {[]told{started("VE1", 1), refused("fetch", 20404, "never-existed")}, false},
		"an acknowledged resend is lost":    {[]told{started("VE1", 1), started("VE1", 2), fetched("VE1", "pending", 1, 0)}, false},
		"an acknowledged cancel is lost":    {[]told{started("VE1", 1), canceled("VE1"), fetched("VE1", "pending", 1, 0)}, false},
		"an approval is lost":               {[]told{started("VE1", 1), checked("VE1", "1", "approved", 1), started("VE1", 2)}, false},
		"two verifications at once":         {[]told{started("VE1", 1), started("VE2", 1)}, false},
		"expired too early":                 {[]told{started("VE1", 1), refused("check", 20404, "expired").at(9, 9)}, false},
		"expired too late":                  {[]told{started("VE1", 1), checked("VE1", "1", "approved", 1).at(10, 11)}, false},
		"a resend gave it a longer life":    {[]told{started("VE1", 1), started("VE1", 2).at(5, 5), fetched("VE1", "pending", 2, 0).at(12, 12)}, false},
		"a lost check counted twice":        {[]told{started("VE1", 1), lost("check", noCode), fetched("VE1", "pending", 1, 2)}, false},
		"a lost start that came and went":   {[]told{lost("start", ""), fetched("VE1", "pending", 1, 0), refused("fetch", 20404, "never-existed")}, false},
		"one that is over comes back":       {[]told{started("VE1", 1), canceled("VE1"), started("VE1", 1)}, false},
	} {
		h := newHistory(func() int { return 0 })
		h.owns("VE1", someone, "1")
		h.owns("VE2", someone, "2")
		for i, o := range c.history {
			o.q.to = someone
			h.ops = append(h.ops, porcupine.Operation{Input: o.q, Output: o.a, Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		if err := h.accept(); (err == nil) != c.right {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of two requests at once either may be the first.
func TestTheCheckerFindsAnOrder(t *testing.T) {
	first, second := started("VE1", 1), started("VE1", 2)
	for name, c := range map[string]struct {
		return1, call2 int64
		right          bool
	}{
		"at once":             {3, 2, true},
		"one after the other": {1, 2, false},
	} {
		h := newHistory(func() int { return 0 })
		first.q.to, second.q.to = someone, someone
		h.ops = []porcupine.Operation{
			{Input: second.q, Output: second.a, Call: 0, Return: c.return1},
			{Input: first.q, Output: first.a, Call: c.call2, Return: 5},
		}
		if err := h.accept(); (err == nil) != c.right {
			t.Errorf("%s: %v", name, err)
		}
	}
}
