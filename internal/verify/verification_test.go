package verify_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/verifyd/verifyd/internal/verify"
)

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func fresh() *verify.Verification {
	return &verify.Verification{
		Status: verify.Pending, MaxSends: 5, MaxChecks: 5, Current: true,
		CodeMAC: []byte("mac"), CodeSealed: []byte("sealed"),
		CreatedAt: start, UpdatedAt: start, ExpiresAt: start.Add(10 * time.Minute),
	}
}

func right([]byte) bool { return true }
func wrong([]byte) bool { return false }

// The rows of the result table (core reference, section 4.1) that a single check decides.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*verify.Verification)
		at      time.Duration
		matches func([]byte) bool
		want    verify.CheckOutcome
		status  verify.Status
		checks  int
	}{
		{"right code", func(*verify.Verification) {}, time.Minute, right, verify.CodeRight, verify.Approved, 1},
		{"right code in the last second", func(*verify.Verification) {}, 10*time.Minute - time.Second, right, verify.CodeRight, verify.Approved, 1},
		{"right code at the end", func(*verify.Verification) {}, 10 * time.Minute, right, verify.NotPending, verify.Pending, 0},
		{"wrong code", func(*verify.Verification) {}, time.Minute, wrong, verify.CodeWrong, verify.Pending, 1},
		{"right code after four wrong ones", func(v *verify.Verification) { v.Checks = 4 }, time.Minute, right, verify.CodeRight, verify.Approved, 5},
		{"fifth wrong code", func(v *verify.Verification) { v.Checks = 4 }, time.Minute, wrong, verify.CodeWrong, verify.MaxAttemptsReached, 5},
		{"sixth check, right code", func(v *verify.Verification) { v.Checks, v.Status = 5, verify.MaxAttemptsReached }, time.Minute, right, verify.ChecksSpent, verify.MaxAttemptsReached, 5},
		{"spent, after its time", func(v *verify.Verification) { v.Checks, v.Status = 5, verify.MaxAttemptsReached }, time.Hour, right, verify.NotPending, verify.MaxAttemptsReached, 5},
		{"approved", func(v *verify.Verification) { v.Status = verify.Approved }, time.Minute, right, verify.NotPending, verify.Approved, 0},
		{"canceled", func(v *verify.Verification) { v.Status = verify.Canceled }, time.Minute, right, verify.NotPending, verify.Canceled, 0},
		{"replaced", func(v *verify.Verification) { v.Status = verify.Replaced }, time.Minute, right, verify.NotPending, verify.Replaced, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := fresh()
			c.prepare(v)
			got := v.Check(c.matches, start.Add(c.at))
			if got != c.want || v.Status != c.status || v.Checks != c.checks {
				t.Errorf("outcome %d, status %s, %d checks; want %d, %s, %d", got, v.Status, v.Checks, c.want, c.status, c.checks)
			}
			if v.Status != verify.Pending && (c.want == verify.CodeRight || v.Checks == 5 && c.want == verify.CodeWrong) && (v.CodeMAC != nil || v.CodeSealed != nil) {
				t.Error("the code outlives the verification")
			}
		})
	}
}

func TestMaySend(t *testing.T) {
	v := fresh()
	for i := range 5 {
		if got := v.MaySend(); got != verify.MaySend {
			t.Fatalf("send %d: got %d, want MaySend", i+1, got)
		}
		v.Send(verify.SMS, fmt.Sprint(i), start.Add(time.Duration(i)*time.Minute))
	}
	if got := v.MaySend(); got != verify.SendsSpent {
		t.Errorf("send 6: got %d, want SendsSpent", got)
	}
	if v.ExpiresAt != start.Add(10*time.Minute) {
		t.Errorf("sends have moved the end to %s", v.ExpiresAt)
	}
	v = fresh()
	for range 5 {
		v.Check(wrong, start)
	}
	if got := v.MaySend(); got != verify.TriesSpent {
		t.Errorf("after five wrong codes: got %d, want TriesSpent", got)
	}
}

func TestReasons(t *testing.T) {
	for status, want := range map[verify.Status]verify.Reason{
		verify.Approved:           verify.ReasonApproved,
		verify.Canceled:           verify.ReasonCanceled,
		verify.MaxAttemptsReached: verify.ReasonMaxAttempts,
		verify.Expired:            verify.ReasonExpired,
		verify.Replaced:           verify.ReasonReplaced,
		verify.Pending:            verify.ReasonExpired, // asked for after its time, before the sweep
	} {
		v := fresh()
		v.Status = status
		if got := v.Reason(start.Add(time.Hour)); got != want {
			t.Errorf("reason of %s: %s, want %s", status, got, want)
		}
	}
}

// No order of calls gets more out of a verification than its limits, and none brings it back.
func TestTheLifecycleHoldsForEveryOrderOfCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := fresh()
		v.MaxChecks = rapid.IntRange(1, 10).Draw(t, "max checks")
		v.MaxSends = rapid.IntRange(1, 10).Draw(t, "max sends")
		now := start
		compared, approvals := 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "seconds")) * time.Second)
			before := *v
			over := !before.Open(now)
			switch rapid.SampledFrom([]string{"check", "send", "approve", "cancel", "expire"}).Draw(t, "call") {
			case "check":
				isRight := rapid.Bool().Draw(t, "right")
				outcome := v.Check(func([]byte) bool { compared++; return isRight }, now)
				if outcome == verify.CodeRight {
					approvals++
				}
				if over && outcome != verify.NotPending {
					t.Fatalf("a check of a verification that is over gave %d", outcome)
				}
			case "send":
				if v.Open(now) && v.MaySend() == verify.MaySend {
					v.Send(verify.SMS, "VL", now)
				}
			case "approve":
				if v.Approve(now) {
					approvals++
				}
			case "cancel":
				v.Cancel(now)
			case "expire":
				v.Expire(now)
			}
			switch {
			case compared > v.MaxChecks:
				t.Fatalf("%d codes were compared, the limit is %d", compared, v.MaxChecks)
			case len(v.Sends) > v.MaxSends:
				t.Fatalf("%d sends, the limit is %d", len(v.Sends), v.MaxSends)
			case approvals > 1:
				t.Fatal("approved twice")
			case v.ExpiresAt != before.ExpiresAt:
				t.Fatal("its life was extended")
			case before.Status != verify.Pending && before.Status != verify.MaxAttemptsReached && v.Status != before.Status:
				t.Fatalf("%s became %s", before.Status, v.Status)
			case v.Status == verify.Pending && before.Status != verify.Pending:
				t.Fatalf("%s became pending again", before.Status)
			case v.Status != verify.Pending && (v.CodeMAC != nil || v.CodeSealed != nil):
				t.Fatalf("%s still has its code", v.Status)
			}
		}
	})
}

func ExampleVerification_Check() {
	v := fresh()
	outcome := v.Check(func(mac []byte) bool { return string(mac) == "mac" }, start.Add(time.Minute))
	fmt.Println(outcome == verify.CodeRight, v.Status, v.CodeMAC == nil)
	// Output: true approved true
}
