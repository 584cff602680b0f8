package factor_test

import (
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
)

func yes() factor.ChallengeStatus         { return factor.ChallengeApproved }
func deny() factor.ChallengeStatus        { return factor.ChallengeDenied }
func wrongAnswer() factor.ChallengeStatus { return "" }

// The rows of the table of the factors reference, section 2.4.
func TestVerifyFactor(t *testing.T) {
	for _, c := range []struct {
		name         string
		status       factor.Status
		wrong        int
		answer       func() factor.ChallengeStatus
		want         factor.AnswerOutcome
		then         factor.Status
		wrongAnswers int
	}{
		{"right", factor.Unverified, 0, yes, factor.AnswerRight, factor.Verified, 0},
		{"right after four wrong ones", factor.Unverified, 4, yes, factor.AnswerRight, factor.Verified, 4},
		{"wrong", factor.Unverified, 0, wrongAnswer, factor.AnswerWrong, factor.Unverified, 1},
		{"the fifth wrong one", factor.Unverified, 4, wrongAnswer, factor.AnswerWrong, factor.Unverified, 5},
		{"right after five wrong ones", factor.Unverified, 5, yes, factor.AnswersSpent, factor.Unverified, 5},
		{"right, of a verified factor", factor.Verified, 0, yes, factor.AnswerNotDue, factor.Verified, 0},
		{"wrong, of a verified factor", factor.Verified, 0, wrongAnswer, factor.AnswerNotDue, factor.Verified, 0},
		{"a refusal verifies nothing", factor.Unverified, 0, deny, factor.AnswerWrong, factor.Unverified, 1},
	} {
		f := factor.Factor{Status: c.status, WrongAnswers: c.wrong}
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
		status factor.ChallengeStatus
		wrong  int
		at     time.Duration
		answer func() factor.ChallengeStatus
		want   factor.AnswerOutcome
		then   factor.ChallengeStatus
	}{
		{"right", factor.ChallengePending, 0, 0, yes, factor.AnswerRight, factor.ChallengeApproved},
		{"refused", factor.ChallengePending, 0, 0, deny, factor.AnswerRight, factor.ChallengeDenied},
		{"right in the last second", factor.ChallengePending, 4, life - time.Second, yes, factor.AnswerRight, factor.ChallengeApproved},
		{"right at the end", factor.ChallengePending, 0, life, yes, factor.AnswerTooLate, factor.ChallengePending},
		{"wrong", factor.ChallengePending, 0, 0, wrongAnswer, factor.AnswerWrong, factor.ChallengePending},
		{"right after five wrong ones", factor.ChallengePending, 5, 0, yes, factor.AnswersSpent, factor.ChallengePending},
		{"right after five wrong ones and its end", factor.ChallengePending, 5, life, yes, factor.AnswerTooLate, factor.ChallengePending},
		{"approved", factor.ChallengeApproved, 0, 0, yes, factor.AnswerTwice, factor.ChallengeApproved},
		{"approved, refused later", factor.ChallengeApproved, 0, 0, deny, factor.AnswerTwice, factor.ChallengeApproved},
		{"refused, right after its end", factor.ChallengeDenied, 0, life, yes, factor.AnswerTwice, factor.ChallengeDenied},
		{"its factor was deleted", factor.ChallengeExpired, 0, 0, yes, factor.AnswerTooLate, factor.ChallengeExpired},
		{"a status that no answer has", factor.ChallengePending, 0, 0, func() factor.ChallengeStatus { return factor.ChallengeExpired }, factor.AnswerWrong, factor.ChallengePending},
	} {
		ch := factor.Challenge{Status: c.status, WrongAnswers: c.wrong, ExpiresAt: start.Add(life)}
		got := ch.Answer(c.answer, start.Add(c.at))
		counted := c.wrong
		if c.want == factor.AnswerWrong {
			counted++
		}
		if got != c.want || ch.Status != c.then || ch.WrongAnswers != counted || ch.RespondedAt.IsZero() == (c.want == factor.AnswerRight) {
			t.Errorf("%s: outcome %d, %s, %d wrong, answered at %s; want %d, %s, %d", c.name, got, ch.Status, ch.WrongAnswers, ch.RespondedAt, c.want, c.then, counted)
		}
	}
}

func TestAHundredFactorsADay(t *testing.T) {
	e := factor.Entity{FactorsSince: start}
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
