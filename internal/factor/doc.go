// Package factor is the other half of the domain: what a factor is, by which people prove again and again that
// it is they, and what may be done with it.
//
// It owns the nouns (Entity, Factor, Challenge, Notification, AccessToken) and their rules. Package verify
// proves that somebody has an address, once, by a code that it sends there; here an authenticator app, a
// handset or a passkey is made known, and asked from then on.
//
// It stands on verify, which knows nothing of it: the services, the settings, the clock and the keys are those
// of a verify.Engine, an error is a verify.Error, webhooks are told by verify.Engine.Tell. Its records are in
// the same store and the same transactions. A Tx is a verify.Tx that has them too, so the commit that approves
// a challenge writes the factor, the challenge, the deliveries of the event and their jobs, or nothing.
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
package factor
