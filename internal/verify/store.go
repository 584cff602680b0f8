package verify

import (
	"context"
	"time"
)

// Store keeps the records.
//
// View runs fn on one consistent state. Update runs fn in a transaction of its own and commits it
// if fn returns nil: when Update returns nil, what fn put is durable; when it returns an error,
// nothing of it is there. Update runs as if all Updates ran one after another.
//
// fn may run more than once (a lost race, a connection that broke), so it must touch nothing but
// tx, and what it leaves in variables outside must be set anew in every run. It must not keep tx.
//
// A caller that goes away does not undo an Update that has begun: whoever hangs up after a wrong
// guess must not have guessed for free. ErrUnavailable means that the store did nothing and may do
// it later.
type Store interface {
	View(ctx context.Context, fn func(Tx) error) error
	Update(ctx context.Context, fn func(Tx) error) error
	// ConfigVersion is a number that has grown when an account, a key, a service, a rate limit, a template, a webhook,
	// a messaging configuration or a geo rule has changed, here or elsewhere. A change made through this
	// store shows at once, others within a second.
	ConfigVersion() uint64
	// DropBefore removes the verifications, attempts, challenges, notifications, access
	// tokens, deliveries of events and jobs that were minted before a time, in
	// steps of at most a hundred records each, between which other Updates run; a store may keep
	// attempts up to a day longer and drop a whole day at once. now is the time at which new ones
	// are minted. Several nodes may do it at once. What is left when ctx ends is left for the next
	// time.
	DropBefore(ctx context.Context, now, before time.Time) error
	Close() error
}

// Tx reads and writes records, and decides nothing. That of a Store has the records of factors too: it is a
// factor.Tx.
//
// Reads return ErrNotFound where there is no such record. In an Update, a record that was read
// stays as it is until the commit. Every record is a copy that belongs to the caller.
//
// Writes are kept until fn returns nil and go to the database together with the commit, so that
// an operation costs two round trips over a network; therefore they return no error, and a read
// does not see them. Add fails the commit with ErrExists if the record is there already; Put
// replaces a record or makes it.
//
// # The order of locks
//
// Where Updates run side by side, to read a record in an Update is to lock it, and two that lock the same
// records in another order wait for each other until the database sends one of them back. So there is one
// order: a verification, then meters, all at once, then an attempt. An Update has at most one
// verification and one attempt, and looks at what it will not change with Peek, which locks nothing. An attempt
// that is written without having been read, as a conversion is, is locked at the end, where it belongs;
// the store sees to the order among many. storetest.Replay holds every Update of the engine's tests to it.
type Tx interface {
	accountTx
	serviceTx
	templateTx
	messagingTx
	verificationTx
	attemptTx
	protectionTx
	webhookTx
	jobTx
	rateLimitTx
}

type accountTx interface {
	Account(sid string) (*Account, error)
	Accounts() ([]Account, error) // oldest first
	PutAccount(*Account)
	Key(sid string) (*Key, error)
	PutKey(*Key)
}

type serviceTx interface {
	Service(sid string) (*Service, error)
	// Services lists the services of an account, newest first.
	Services(accountSID string, page Page) ([]Service, error)
	PutService(*Service)
	// DeleteService removes a service with its rate limits, messaging configurations and webhooks, and ends its
	// verifications: their codes are wiped and their jobs find nothing to do. Its entities stay until
	// DeleteEntities.
	DeleteService(sid string)
}

type templateTx interface {
	Template(sid string) (*Template, error)
	// Templates lists the templates of an account, newest first: those with a name, or all if it
	// is empty.
	Templates(accountSID, name string, page Page) ([]Template, error)
	// PutTemplate fails the commit with ErrExists if another template of the account has the name.
	PutTemplate(*Template)
	DeleteTemplate(sid string)
}

type messagingTx interface {
	MessagingConfiguration(serviceSID, country string) (*MessagingConfiguration, error)
	// MessagingConfigurations lists the configurations of a service by country, after the country
	// that the page names.
	MessagingConfigurations(serviceSID string, page Page) ([]MessagingConfiguration, error)
	PutMessagingConfiguration(*MessagingConfiguration)
	DeleteMessagingConfiguration(serviceSID, country string)
}

type verificationTx interface {
	Verification(sid string) (*Verification, error)
	// PeekVerification is Verification for a look: in an Update, others may change the record before the
	// commit.
	PeekVerification(sid string) (*Verification, error)
	// CurrentVerification is the latest verification of a recipient in a service, whatever its
	// state, as long as the service remembers it (see Verification.Forget).
	CurrentVerification(serviceSID, recipient string) (*Verification, error)
	AddVerification(*Verification)
	// PutVerification writes what can change. One that is not current never becomes it again.
	PutVerification(*Verification)
	// PendingVerifications are those that a walk ends in its next step of limit verifications, in the order
	// in which their time was up; the others are over already. It returns the rest of the walk, as
	// ExpireVerifications does, and its cost is that of the step.
	PendingVerifications(w Expiry, limit int) (pending []VerificationPlace, rest Expiry, more bool, err error)
	// ExpireVerifications takes a step of a walk, at most limit verifications: those pending become
	// expired and lose their code, and those whose time was up at w.Forget are no longer current, but
	// for those that are held at w.Now (see Verification.HeldUntil). It returns the rest of the walk;
	// more is false at its end. The walk follows an index of current verifications, so its cost does
	// not grow with history.
	ExpireVerifications(w Expiry, limit int) (rest Expiry, more bool, err error)
	// BlankPayments takes amount and payee out of verifications whose time was up at a time, of
	// about limit of them. more says that others are left.
	BlankPayments(upAt time.Time, limit int) (more bool, err error)
}

// VerificationPlace says where a verification belongs.
type VerificationPlace struct{ SID, ServiceSID, AccountSID, Recipient string }

// Expiry is a walk over the current verifications whose time was up from one time on and until another, in
// the order in which it was.
type Expiry struct {
	After, Until time.Time
	// AfterID tells those apart whose time was up at the same moment: those at After with a greater ID
	// (sid.Key) are still to come. 0 is all of them.
	AfterID     int64
	Now, Forget time.Time
}

type attemptTx interface {
	Attempt(sid string) (*Attempt, error)
	// PeekAttempt is Attempt for a look: in an Update, others may change the record before the commit.
	PeekAttempt(sid string) (*Attempt, error)
	AddAttempt(*Attempt)
	// PutAttempt writes what a delivery changes.
	PutAttempt(*Attempt)
	// ReportedAttempt is the SID of the newest attempt in a range of keys that has a ReportKey.
	ReportedAttempt(key string, from, before int64) (attemptSID string, err error)
	// ConvertAttempt notes the conversion of an attempt, which may be under way.
	ConvertAttempt(sid string, at time.Time)
	// CarriedAttempts lists what the attempts of a range of keys, of all accounts, say of their providers:
	// those with the lowest keys first, at most limit.
	CarriedAttempts(from, before int64, limit int) ([]Carried, error)
	// Attempts lists those that a filter lets through, newest first, at most limit. It looks at
	// every attempt of the filter's range, so the caller keeps that small (see AttemptStep). The
	// filter's To and Prefix do not count.
	Attempts(f AttemptFilter, limit int) ([]Attempt, error)
	// AttemptStep is the key of the n-th attempt of a range, counted from its end. ErrNotFound if the
	// range has less.
	AttemptStep(from, before int64, n int) (key int64, err error)
	// AttemptsTo lists the attempts to the filter's To, newest first. It costs a look into an index
	// for every four hours of the range.
	AttemptsTo(f AttemptFilter, limit int) ([]Attempt, error)
	// CountAttempts looks at every attempt of the filter's range; To and Prefix do not count.
	CountAttempts(AttemptFilter) (AttemptCount, error)
	// CountAttemptsTo counts the attempts to numbers that begin with the filter's Prefix.
	CountAttemptsTo(AttemptFilter) (AttemptCount, error)

	// Count adds to the counters of attempts. It is part of the commit as every other write.
	Count(Tally)
	// SumCounts adds counters up: those of the spans that are numbered from from up to, and without,
	// before. Conversion, To and the filter's own range do not count, Prefix only for PrefixDays.
	SumCounts(f AttemptFilter, span Span, from, before int64) (AttemptCount, error)
	// LastCounted is the number of the last span in which anything that the filter lets through was
	// counted. ErrNotFound if there is none.
	LastCounted(f AttemptFilter, span Span, from, before int64) (number int64, err error)
	// ForgetCounts removes the first counters of an account's spans before a number, at most limit of
	// them. more says that others may be left.
	ForgetCounts(accountSID string, span Span, before int64, limit int) (more bool, err error)
}

type protectionTx interface {
	SafeNumber(accountSID, number string) (*SafeNumber, error)
	// AddSafeNumber fails the commit with ErrExists if the account has the number already.
	AddSafeNumber(*SafeNumber)
	DeleteSafeNumber(*SafeNumber)
	GeoRules(accountSID string) ([]GeoRule, error)
	PutGeoRule(GeoRule)
	DeleteGeoRule(GeoRule)
}

type jobTx interface {
	// Enqueue leaves a job that runs after the commit, at least once. ErrExists if there is one
	// with its ID. A job with Runs is claimed already (see Place).
	Enqueue(Job)
	// FinishJob removes a job.
	FinishJob(Job)
	// DeferJob gives a job back, to be run at another time.
	DeferJob(Job, time.Time)
}

type rateLimitTx interface {
	// RateLimits lists the rate limits of a service, newest first.
	RateLimits(serviceSID string, page Page) ([]RateLimit, error)
	PutRateLimit(*RateLimit)
	// DeleteRateLimit removes a rate limit and its buckets.
	DeleteRateLimit(sid string)
	// Buckets lists the buckets of a rate limit, newest first.
	Buckets(rateLimitSID string, page Page) ([]Bucket, error)
	PutBucket(*Bucket)
	DeleteBucket(sid string)
	// Meters reads several meters at once, in the order of their IDs; nil for one that is not there.
	Meters(ids []int64) ([]*Meter, error)
	// CurrentAndMeters is CurrentVerification and Meters in one round trip: what a start reads. The
	// verification is nil if there is none.
	CurrentAndMeters(serviceSID, recipient string, ids []int64) (*Verification, []*Meter, error)
	AddMeter(*Meter)
	PutMeter(*Meter)
	// DropMeters walks the meters after an ID, at most limit of them, and removes those that have
	// ended. It returns the ID to go on from, 0 at the end.
	DropMeters(from int64, now time.Time, limit int) (next int64, err error)
}

// Job is durable work that a commit left behind.
type Job struct {
	ID   int64  // the number in Ref (sid.Key)
	Kind string // names the worker: "sms", "email"
	Ref  string // the SID of what the work is about
	Due  time.Time
	// Runs counts how often the job was begun. A run that neither finished nor deferred the job
	// died with its process.
	Runs int
	// Delivery is what the commit knew of a job that comes straight from it; nil if the job was
	// claimed, and what it is about has to be read. It is not stored.
	Delivery *Delivery
	// Push is the same of a notification: a factor.PushDelivery, or nil.
	Push any
}

// Lanes carry out jobs.
type Lanes interface {
	// Reserve keeps a place for a job that is about to be committed. ok is false if no place is
	// free: then the job waits in the queue.
	Reserve(kind string) (p Place, ok bool)
}

// Place is room for one job. Either Run or Release must be called, once.
type Place interface {
	// Claim makes a job one that was begun: nobody else takes it before its lease ends.
	Claim(Job) Job
	// Run carries out the job after its commit, without delaying the caller.
	Run(Job)
	Release()
}

// Page is a part of a list.
type Page struct {
	Size int
	// After is the SID (of a messaging configuration, the country) of the last record of the page
	// before; empty at the start.
	After string
	// Skip is a number of records to pass over.
	Skip int
}
