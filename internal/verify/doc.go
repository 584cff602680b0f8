// Package verify is the domain: what a verification is, and what may be done with it.
//
// It owns the nouns (Service, Verification, Attempt, Template, RateLimit, Webhook), the rules, and the
// contract of the store that keeps the records. It knows neither HTTP nor SQL nor any provider, and not the
// factors either, which stand on it (package factor). Rules are methods of the nouns that take the time as
// an argument, change a struct and return an outcome; the Engine loads, calls the rule, saves, all inside
// one transaction.
//
// An outcome commits, an error rolls back. A wrong code is an outcome: it must be counted, so the
// transaction returns nil, and only after the commit does the outcome become an answer. If it were
// an error, the counter would roll back and guessing would be free.
//
// Nothing is sent here. "Send this" is a Job in the same commit; a worker carries it out later.
//
// # The life of a verification
//
//	              resend: same SID, same code, same end (5 sends, the 6th is 60203)
//	                ┌──┐
//	  start ──► pending ◄─┘
//	              │ │ │ │
//	right code,   │ │ │ └─ its time is up ──────────► expired               404
//	or Update     │ │ └─── 5th wrong code ──────────► max_attempts_reached  429 60202 until its
//	  approved ◄──┘ │                                      │                time is up, then 404
//	    404         └───── Update, another transaction ──► canceled ◄──┘ Update
//
// What a recipient may start and guess over all verifications goes from one to the next in their
// History; which limits hold is the table in limits.go. What a customer limits by names of its own is
// counted by meters, in the commit of the start (meter.go).
//
// The latest verification of a recipient in a service is the current one. As long as it is open
// (pending, or out of checks with time left) a start does not make another: it sends again or
// refuses. When it is over it stays current for a while, so that a 404 can say why.
package verify
