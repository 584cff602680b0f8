// Package verify is the domain: what a verification is, and what may be done with it.
//
// It owns the nouns (Service, Verification, Attempt, Template, Entity, Factor, Challenge, Notification,
// AccessToken, Webhook), the rules, and the contract of the store that keeps the records. It knows
// neither HTTP nor SQL nor any provider. Rules are methods of the nouns that take the time as an argument, change a struct and return an outcome; the
// Engine loads, calls the rule, saves, all inside one transaction.
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
//
// # The life of a factor
//
//	  create ──► unverified ──── right answer ────► verified ── delete ──► gone
//	               │    ▲ │                                                 ▲ ▲
//	wrong answer:  └────┘ └── delete, or 24 hours without a right answer ───┘ │
//	  counted. After the 5th no answer is read (60310).     its entity's end ─┘
//
// There is no way back to unverified, and nothing but the answer of the factor itself leads to
// verified. That of a passkey has ten minutes, as its browser has (60383). A signature that is wrong, of
// a handset or of a passkey, is refused and not counted (60311, and 60324 below): unlike a code, nobody
// guesses one.
//
// # The life of a challenge
//
//	  create ──► pending ──── right answer ──────────────────────► approved  60322
//	              │ ▲  │ └─── signed refusal (push) ─────────────► denied    60322
//	wrong answer: └─┘  └───── its time is up, its factor deleted ► expired   60323
//	  counted. After the 5th no answer is read (60308) until its time is up.
//
// On the right stands what a further answer is told. Approved, denied and expired are final. Every
// answer reads the challenge and its factor in one Update and puts both, so of two answers at the same
// moment the second sees what the first did, on whatever node. What an answer is, and whether it is
// right, differs by the type of factor; readAnswer knows. A code of an authenticator app is spent with
// its step (Factor.SpentUntil): by the verification of the factor as by a challenge, each code opens
// one thing once. A passkey answers elsewhere (VerifyPasskey, ApprovePasskey), because its answer names
// the factor or the challenge and no path does. What a device signs has the SID of its challenge in it,
// and is nothing to another one.
//
// # The life of a handset
//
//	account ──► access token ──► push factor ──► verified ──► its challenges
//	             60 to 300 s      of a key       by the key
//
// A handset has no account. An access token (Grant) lets it make a factor; from then on it logs in with
// what its key signs (AuthenticateDevice), to its own factor and the challenges of it. A challenge
// leaves a Notification with its commit, which is a hint and no part of the proof: the handset fetches
// what it is about, and one that was never told may ask.
package verify
