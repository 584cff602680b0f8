package verify_test

import (
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

func yes() verify.ChallengeStatus         { return verify.ChallengeApproved }
func deny() verify.ChallengeStatus        { return verify.ChallengeDenied }
func wrongAnswer() verify.ChallengeStatus { return "" }

// The rows of the table of the factors reference, section 2.4.
func TestVerifyFactor(t *testing.T) {
	for _, c := range []struct {
		name         string
		status       verify.FactorStatus
		wrong        int
		answer       func() verify.ChallengeStatus
		want         verify.AnswerOutcome
		then         verify.FactorStatus
		wrongAnswers int
	}{
		{"right", verify.Unverified, 0, yes, verify.AnswerRight, verify.Verified, 0},
		{"right after four wrong ones", verify.Unverified, 4, yes, verify.AnswerRight, verify.Verified, 4},
		{"wrong", verify.Unverified, 0, wrongAnswer, verify.AnswerWrong, verify.Unverified, 1},
		{"the fifth wrong one", verify.Unverified, 4, wrongAnswer, verify.AnswerWrong, verify.Unverified, 5},
		{"right after five wrong ones", verify.Unverified, 5, yes, verify.AnswersSpent, verify.Unverified, 5},
		{"right, of a verified factor", verify.Verified, 0, yes, verify.AnswerNotDue, verify.Verified, 0},
		{"wrong, of a verified factor", verify.Verified, 0, wrongAnswer, verify.AnswerNotDue, verify.Verified, 0},
		{"a refusal verifies nothing", verify.Unverified, 0, deny, verify.AnswerWrong, verify.Unverified, 1},
	} {
		f := verify.Factor{Status: c.status, WrongAnswers: c.wrong}
		if got := f.Verify(c.answer, start); got != c.want || f.Status != c.then || f.WrongAnswers != c.wrongAnswers {
			t.Errorf("%s: outcome %d, %s, %d wrong; want %d, %s, %d", c.name, got, f.Status, f.WrongAnswers, c.want, c.then, c.wrongAnswers)
		}
	}
}

// The rows of the table of the factors reference, section 3.4.
func TestAnswerChallenge(t *testing.T) {
	const life = 5 * time.Minute
	for _, c := range []struct {
		name   string
		status verify.ChallengeStatus
		wrong  int
		at     time.Duration
		answer func() verify.ChallengeStatus
		want   verify.AnswerOutcome
		then   verify.ChallengeStatus
	}{
		{"right", verify.ChallengePending, 0, 0, yes, verify.AnswerRight, verify.ChallengeApproved},
		{"refused", verify.ChallengePending, 0, 0, deny, verify.AnswerRight, verify.ChallengeDenied},
		{"right in the last second", verify.ChallengePending, 4, life - time.Second, yes, verify.AnswerRight, verify.ChallengeApproved},
		{"right at the end", verify.ChallengePending, 0, life, yes, verify.AnswerTooLate, verify.ChallengePending},
		{"wrong", verify.ChallengePending, 0, 0, wrongAnswer, verify.AnswerWrong, verify.ChallengePending},
		{"right after five wrong ones", verify.ChallengePending, 5, 0, yes, verify.AnswersSpent, verify.ChallengePending},
		{"right after five wrong ones and its end", verify.ChallengePending, 5, life, yes, verify.AnswerTooLate, verify.ChallengePending},
		{"approved", verify.ChallengeApproved, 0, 0, yes, verify.AnswerTwice, verify.ChallengeApproved},
		{"approved, refused later", verify.ChallengeApproved, 0, 0, deny, verify.AnswerTwice, verify.ChallengeApproved},
		{"refused, right after its end", verify.ChallengeDenied, 0, life, yes, verify.AnswerTwice, verify.ChallengeDenied},
		{"its factor was deleted", verify.ChallengeExpired, 0, 0, yes, verify.AnswerTooLate, verify.ChallengeExpired},
		{"a status that no answer has", verify.ChallengePending, 0, 0, func() verify.ChallengeStatus { return verify.ChallengeExpired }, verify.AnswerWrong, verify.ChallengePending},
	} {
		ch := verify.Challenge{Status: c.status, WrongAnswers: c.wrong, ExpiresAt: start.Add(life)}
		got := ch.Answer(c.answer, start.Add(c.at))
		counted := c.wrong
		if c.want == verify.AnswerWrong {
			counted++
		}
		if got != c.want || ch.Status != c.then || ch.WrongAnswers != counted || ch.RespondedAt.IsZero() == (c.want == verify.AnswerRight) {
			t.Errorf("%s: outcome %d, %s, %d wrong, answered at %s; want %d, %s, %d", c.name, got, ch.Status, ch.WrongAnswers, ch.RespondedAt, c.want, c.then, counted)
		}
	}
}

func TestAHundredFactorsADay(t *testing.T) {
	e := verify.Entity{FactorsSince: start}
	for i := range 100 {
		if !e.MayMakeFactor(start.Add(time.Duration(i) * time.Minute)) {
			t.Fatalf("factor %d is refused", i+1)
		}
	}
	if e.MayMakeFactor(start.Add(24*time.Hour - time.Second)) {
		t.Error("the 101st of a day is made")
	}
	if !e.MayMakeFactor(start.Add(24*time.Hour)) || e.FactorsMade != 1 {
		t.Errorf("the day after: %d are counted", e.FactorsMade)
	}
}
