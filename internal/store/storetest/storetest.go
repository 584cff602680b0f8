// Package storetest is the exam that every store takes, all of it: records come back as they went
// in, an Update is all or nothing and runs as if alone, jobs are claimed once, a caller that goes
// away undoes nothing. A store's own test is one call of Run.
//
// Replay is a store that runs every function twice, to be put under the engine in its tests: the
// contract allows it, so an operation must stand it. It holds them to the order of locks too.
package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/queue"
	"github.com/verifyd/verifyd/internal/verify"
)

// Store is what an exam needs of a store.
type Store interface {
	verify.Store
	queue.Jobs
	// Reset removes everything but the accounts and their keys.
	Reset(context.Context) error
	// SaveSnapshot keeps a copy of everything under a number, RestoreSnapshot puts it in the place of
	// everything, and DropSnapshot removes it.
	SaveSnapshot(ctx context.Context, number int) error
	RestoreSnapshot(ctx context.Context, number int) error
	DropSnapshot(ctx context.Context, number int) error
	// NextDueOfService is when the next job about the records of a service is due, and HastenService has
	// them be due sooner.
	NextDueOfService(ctx context.Context, serviceSID string) (due time.Time, found bool, err error)
	HastenService(ctx context.Context, serviceSID string, by time.Duration) error
}

// noon is the time of the exam.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// Run takes the exam. open makes an empty store, and is called for every question.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, question := range append([]question{
		{"accounts and keys come back as they went in", accountsAndKeys},
		{"services come back as they went in", servicesComeBack},
		{"services are listed newest first, page by page", servicesAreListed},
		{"a deleted service takes its verifications along", deletedService},
		{"templates come back as they went in", templatesComeBack},
		{"templates are listed newest first, by name, page by page", templatesAreListed},
		{"two templates of an account cannot have one name", templateNames},
		{"messaging configurations come back as they went in", messagingComesBack},
		{"messaging configurations are listed by country, page by page", messagingIsListed},
		{"a deleted service takes its messaging configurations along", messagingOfDeletedService},
		{"verifications come back as they went in", verificationsComeBack},
		{"an update of a verification writes what can change", verificationsChange},
		{"attempts come back as they went in", attemptsComeBack},
		{"attempts are listed by filters, newest first", attemptsAreListed},
		{"attempts say who carried them, oldest first", attemptsSayWhoCarried},
		{"steps back through the attempts have the length asked for", attemptSteps},
		{"attempts are found by address and by its beginning", attemptsToAddresses},
		{"attempts of many days are found in all of them", attemptsOfManyDays},
		{"a conversion outlasts the delivery", conversionStays},
		{"attempts are found by what reports call them", reportedAttempts},
		{"counters count what was committed, once", countersCount},
		{"safe numbers come back, and once an account", safeNumbers},
		{"geo rules come back, and go with their service", geoRules},
		{"one verification of a recipient is current", oneIsCurrent},
		{"what is not there is ErrNotFound", notFound},
		{"expiry walks the current verifications that are due in chunks", expiry},
		{"old records are dropped, young ones stay", oldRecordsAreDropped},
		{"what is dropped harms nobody who is busy with it", droppedRecordsHarmNobody},
		{"payments are blanked in chunks, and nothing else", paymentsAreBlanked},
		{"starts and checks during a drop are all kept", droppingLosesNothing},
		{"rate limits and buckets come back as they went in", rateLimitsComeBack},
		{"rate limits and buckets are listed newest first, page by page", rateLimitsAreListed},
		{"a name of a rate limit and an interval of a bucket are there once", rateLimitsAreUnique},
		{"meters come back as they went in", metersComeBack},
		{"a current verification and meters are read together", currentAndMeters},
		{"meters that have ended are dropped in chunks", metersAreDropped},
		{"simultaneous starts are all counted", simultaneousMeters},
		{"simultaneous sends are as many as a log admits", simultaneousLogs},
		{"an error keeps nothing", errorKeepsNothing},
		{"a panic keeps nothing and harms nobody else", panicKeepsNothing},
		{"a taken key keeps nothing", takenKeyKeepsNothing},
		{"a caller that has gone undoes nothing", goneCallers},
		{"a caller that went before its turn did nothing", goneBefore},
		{"simultaneous updates run one after another", simultaneousUpdates},
		{"simultaneous checks compare as often as allowed", simultaneousChecks},
		{"the configuration's version grows with changes of it alone", configVersion},
		{"a job is claimed once, and again when its lease ends", jobsAreClaimed},
		{"a job may be claimed when it is made", jobsBornClaimed},
		{"the longest due job is claimed first", jobsInOrder},
		{"a finished job is gone, a deferred one comes back, a buried one does not", jobsEnd},
		{"an enqueued job wakes its kind alone", jobsWake},
		{"a job of a commit that failed is not there", jobsRollBack},
		{"a reset leaves the accounts and their keys", resetLeavesAccounts},
		{"a snapshot brings everything back as it was", snapshotsComeBack},
		{"a snapshot is replaced, and dropped", snapshotsAreDropped},
		{"the jobs of one service can be due sooner", jobsOfAService},
	}, slices.Concat(factorQuestions, pushQuestions, webhookQuestions)...) {
		t.Run(question.name, func(t *testing.T) { question.ask(t, open(t)) })
	}
}

// question is one of the exam.
type question struct {
	name string
	ask  func(*testing.T, Store)
}

// update runs fn and fails the test if it cannot be kept. The Tx of a store is a verify.Tx and a factor.Tx, and
// a function says by its parameter which of them it needs.
func update[Tx verify.Tx](t *testing.T, s Store, fn func(Tx)) {
	t.Helper()
	err := s.Update(t.Context(), func(tx verify.Tx) error {
		fn(tx.(Tx))
		return nil
	})
	if err != nil {
		t.Fatalf("update: %v", err)
	}
}

// view reads one thing.
func view[T any, Tx verify.Tx](t *testing.T, s Store, read func(Tx) (T, error)) (T, error) {
	t.Helper()
	var got T
	err := s.View(t.Context(), func(tx verify.Tx) (err error) {
		got, err = read(tx.(Tx))
		return err
	})
	return got, err
}

// mustView reads one thing that has to be there.
func mustView[T any, Tx verify.Tx](t *testing.T, s Store, read func(Tx) (T, error)) T {
	t.Helper()
	got, err := view(t, s, read)
	if err != nil {
		t.Fatalf("view: %v", err)
	}
	return got
}
