package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// factorQuestions are those about entities, factors and challenges.
var factorQuestions = []question{
	{"entities come back as they went in, whatever the case of their identity", entitiesComeBack},
	{"an identity has one entity in a service", identityIsUnique},
	{"entities are listed and counted", entitiesAreListed},
	{"factors come back as they went in, and change", factorsComeBack},
	{"a credential has one factor in a service", credentialIsUnique},
	{"challenges come back as they went in, and change", challengesComeBack},
	{"the stored names of factors and challenges stay", storedNamesStay},
	{"factors are listed oldest first, page by page", factorsAreListed},
	{"challenges are listed by factor, status and order", challengesAreListed},
	{"a deleted factor expires its pending challenges", deletedFactor},
	{"a deleted entity takes its factors and challenges along", deletedEntity},
	{"the entities of a service are deleted in steps", entitiesOfAService},
	{"factors that nobody verified are dropped", unverifiedAreDropped},
	{"old challenges are dropped, factors stay", oldChallengesAreDropped},
	{"nothing of a failed update about factors is kept", factorsRollBack},
}

// numberedTyped is the n-th SID of a kind that has a type; higher numbers are newer.
func numberedTyped(prefix string, n int) string { return fmt.Sprintf("%s02%016x%014x", prefix, n, n) }

func entity(n int) *factor.Entity {
	var e factor.Entity
	fill(&e, n)
	e.SID, e.ServiceSID, e.AccountSID = numbered("YE", n), serviceSID, accountSID
	e.Identity = fmt.Sprintf("User-%d", n)
	return &e
}

func factorOf(n int, owner *factor.Entity) *factor.Factor {
	var f factor.Factor
	fill(&f, n)
	f.SID, f.EntitySID, f.Identity = numberedTyped("YF", n), owner.SID, owner.Identity
	f.ServiceSID, f.AccountSID = owner.ServiceSID, owner.AccountSID
	f.Type, f.Status, f.WrongAnswers = factor.TOTP, factor.Verified, 0
	f.Credential, f.CredentialSID = fmt.Sprintf("key %d", n), numbered("CR", n)
	return &f
}

func challenge(n int, f *factor.Factor) *factor.Challenge {
	var c factor.Challenge
	fill(&c, n)
	c.SID, c.FactorSID, c.FactorType = numberedTyped("YC", n), f.SID, f.Type
	c.EntitySID, c.Identity, c.ServiceSID, c.AccountSID = f.EntitySID, f.Identity, f.ServiceSID, f.AccountSID
	c.Status, c.WrongAnswers = factor.ChallengePending, 0
	c.ExpiresAt = noon.Add(5 * time.Minute)
	return &c
}

func entitiesComeBack(t *testing.T, s Store) {
	want := entity(1)
	update(t, s, func(tx factor.Tx) { tx.AddEntity(want) })
	for _, identity := range []string{want.Identity, strings.ToUpper(want.Identity), strings.ToLower(want.Identity)} {
		read := func(tx factor.Tx) (*factor.Entity, error) { return tx.Entity(serviceSID, identity) }
		if diff := cmp.Diff(want, mustView(t, s, read)); diff != "" {
			t.Errorf("entity by %s:\n%s", identity, diff)
		}
	}
	want.FactorsMade, want.FactorsSince, want.UpdatedAt = 7, noon.Add(time.Hour), noon.Add(2*time.Hour)
	update(t, s, func(tx factor.Tx) { tx.PutEntity(want) })
	if diff := cmp.Diff(want, mustView(t, s, func(tx factor.Tx) (*factor.Entity, error) { return tx.Entity(serviceSID, want.Identity) })); diff != "" {
		t.Errorf("entity after a change:\n%s", diff)
	}
	for _, wrong := range [][2]string{{serviceSID, "user-2"}, {numbered("VA", 2), want.Identity}, {serviceSID, want.SID}} {
		if _, err := view(t, s, func(tx factor.Tx) (*factor.Entity, error) { return tx.Entity(wrong[0], wrong[1]) }); !errors.Is(err, verify.ErrNotFound) {
			t.Errorf("entity %v: %v, want ErrNotFound", wrong, err)
		}
	}
}

func identityIsUnique(t *testing.T, s Store) {
	first, second, elsewhere := entity(1), entity(2), entity(3)
	second.Identity = strings.ToUpper(first.Identity)
	elsewhere.Identity, elsewhere.ServiceSID = first.Identity, numbered("VA", 2)
	update(t, s, func(tx factor.Tx) { tx.AddEntity(first) })
	err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
		tx.AddEntity(second)
		return nil
	}))
	if !errors.Is(err, verify.ErrExists) {
		t.Errorf("a second entity of one identity: %v, want ErrExists", err)
	}
	update(t, s, func(tx factor.Tx) { tx.AddEntity(elsewhere) })
}

func entitiesAreListed(t *testing.T, s Store) {
	since := sid.KeyAt(noon)
	update(t, s, func(tx factor.Tx) {
		for n := 1; n <= 5; n++ {
			tx.AddEntity(entity(n))
		}
		foreign := entity(6)
		foreign.ServiceSID = numbered("VA", 2)
		tx.AddEntity(foreign)
		for i := range 3 { // of times, to be counted
			e := entity(10 + i)
			e.SID, e.ServiceSID = fmt.Sprintf("YE%016x%016x", since+int64(i)-1, i), numbered("VA", 3)
			tx.AddEntity(e)
		}
	})
	wantPages(t, "YE", numbered, func(page verify.Page) (sids []string) {
		for _, e := range mustView(t, s, func(tx factor.Tx) ([]factor.Entity, error) { return tx.Entities(serviceSID, page) }) {
			sids = append(sids, e.SID)
		}
		return sids
	})
	for of, want := range map[string]int{accountSID: 2, "AC00000000000000000000000000000002": 0} {
		if n := mustView(t, s, func(tx factor.Tx) (int, error) { return tx.CountEntities(of, noon) }); n != want {
			t.Errorf("%d entities of %s are counted since noon, want %d", n, of, want)
		}
	}
}

// wantPages walks over a list of the records 1 to 5, oldest first.
func wantPages(t *testing.T, prefix string, name func(string, int) string, list func(verify.Page) []string) {
	t.Helper()
	for _, c := range []struct {
		page verify.Page
		want []int
	}{
		{verify.Page{Size: 10}, []int{1, 2, 3, 4, 5}},
		{verify.Page{Size: 2}, []int{1, 2}},
		{verify.Page{Size: 2, After: name(prefix, 2)}, []int{3, 4}},
		{verify.Page{Size: 2, Skip: 4}, []int{5}},
		{verify.Page{Size: 2, After: name(prefix, 5)}, nil},
	} {
		var want []string
		for _, n := range c.want {
			want = append(want, name(prefix, n))
		}
		if diff := cmp.Diff(want, list(c.page)); diff != "" {
			t.Errorf("page %+v:\n%s", c.page, diff)
		}
	}
}

func factorsComeBack(t *testing.T, s Store) {
	f := factorOf(1, entity(1))
	update(t, s, func(tx factor.Tx) { tx.AddFactor(f) })
	read := func(tx factor.Tx) (*factor.Factor, error) { return tx.Factor(f.SID) }
	if diff := cmp.Diff(f, mustView(t, s, read)); diff != "" {
		t.Errorf("factor:\n%s", diff)
	}
	f.FriendlyName, f.Status, f.SecretSealed, f.WrongAnswers = "another", factor.Unverified, []byte("other"), 3
	f.Config.TOTP.Skew, f.Config.Push.Unreachable = 2, false
	f.Credential = "another key"
	f.SpentUntil, f.UpdatedAt = noon.Add(time.Minute), noon.Add(time.Hour)
	update(t, s, func(tx factor.Tx) { tx.PutFactor(f) })
	if diff := cmp.Diff(f, mustView(t, s, read)); diff != "" {
		t.Errorf("factor after a change:\n%s", diff)
	}
	for _, metadata := range []map[string]string{nil, {}, {"": "", "ü": "\"'\\"}} {
		bare := factorOf(50+len(metadata), entity(1))
		if metadata == nil {
			bare.SID = numberedTyped("YF", 60)
		}
		bare.Metadata, bare.SecretSealed, bare.Config, bare.SpentUntil = metadata, nil, factor.Config{}, time.Time{}
		bare.Credential, bare.CredentialSID = "", "" // which any number of factors may have
		update(t, s, func(tx factor.Tx) { tx.AddFactor(bare) })
		got := mustView(t, s, func(tx factor.Tx) (*factor.Factor, error) { return tx.Factor(bare.SID) })
		if diff := cmp.Diff(bare, got); diff != "" {
			t.Errorf("with nothing in it that may be missing:\n%s", diff)
		}
	}
}

func challengesComeBack(t *testing.T, s Store) {
	c := challenge(1, factorOf(1, entity(1)))
	update(t, s, func(tx factor.Tx) { tx.AddChallenge(c) })
	read := func(tx factor.Tx) (*factor.Challenge, error) { return tx.Challenge(c.SID) }
	if diff := cmp.Diff(c, mustView(t, s, read)); diff != "" {
		t.Errorf("challenge:\n%s", diff)
	}
	c.Status, c.Metadata, c.WrongAnswers, c.Resends = factor.ChallengeDenied, map[string]string{"os": "x"}, 4, 2
	c.UpdatedAt, c.RespondedAt = noon.Add(time.Minute), noon.Add(time.Minute)
	c.FactorSID, c.EntitySID, c.Identity = numberedTyped("YF", 9), numbered("YE", 9), "Somebody-else"
	update(t, s, func(tx factor.Tx) { tx.PutChallenge(c) })
	if diff := cmp.Diff(c, mustView(t, s, read)); diff != "" {
		t.Errorf("challenge after a change:\n%s", diff)
	}
	bare := challenge(50, factorOf(1, entity(1)))
	bare.Details, bare.HiddenDetails, bare.Metadata, bare.RespondedAt = nil, nil, nil, time.Time{}
	bare.FactorSID, bare.EntitySID, bare.Identity = "", "", "" // a passkey's, that may be anybody's
	update(t, s, func(tx factor.Tx) { tx.AddChallenge(bare) })
	got := mustView(t, s, func(tx factor.Tx) (*factor.Challenge, error) { return tx.Challenge(bare.SID) })
	if diff := cmp.Diff(bare, got); diff != "" {
		t.Errorf("with nothing in it that may be missing:\n%s", diff)
	}
}

// What is stored as JSON is read again under the same names by every later release.
func storedNamesStay(t *testing.T, s Store) {
	for want, value := range map[string]any{
		`{"totp":{"alg":"sha1","skew":1,"code_length":6,"time_step":30}}`: factor.Config{TOTP: &factor.TOTPConfig{Alg: "sha1", Skew: 1, CodeLength: 6, TimeStep: 30}},
		`{"passkey":{"relying_party":{"id":"i","name":"n","origins":["o"]},"authenticator_attachment":"any",` +
			`"discoverable_credentials":"required","user_verification":"preferred"}}`: factor.Config{Passkey: &factor.PasskeyConfig{
			RelyingParty:            factor.RelyingParty{ID: "i", Name: "n", Origins: []string{"o"}},
			AuthenticatorAttachment: "any", DiscoverableCredentials: "required", UserVerification: "preferred"}},
		`{"passkey":{"relying_party":{"id":"","name":"","origins":null},"authenticator_attachment":"","discoverable_credentials":"","user_verification":"",` +
			`"public":"AQ==","count":2,"transports":["usb"],"copyable":true,"copied":true}}`: factor.Config{Passkey: &factor.PasskeyConfig{
			Public: []byte{1}, Count: 2, Transports: []string{"usb"}, Copyable: true, Copied: true}},
		`{"push":{"sdk_version":"1","app_id":"a","platform":"fcm","public_key":"k","unreachable":true}}`: factor.Config{Push: &factor.PushConfig{
			SDKVersion: "1", AppID: "a", Platform: factor.FCM, PublicKey: "k", Unreachable: true}},
		`{"message":"","fields":null,"dated":true}`:            factor.ChallengeDetails{Dated: true},
		`{"message":"m","fields":[{"label":"l","value":"v"}]}`: factor.ChallengeDetails{Message: "m", Fields: []factor.DetailField{{Label: "l", Value: "v"}}},
	} {
		got, err := json.Marshal(value)
		if err != nil || string(got) != want {
			t.Errorf("%T is stored as %s, want %s: old rows have those names", value, got, want)
		}
	}
}

func factorsAreListed(t *testing.T, s Store) {
	owner, other := entity(1), entity(2)
	update(t, s, func(tx factor.Tx) {
		for n := 1; n <= 5; n++ {
			tx.AddFactor(factorOf(n, owner))
		}
		tx.AddFactor(factorOf(6, other))
	})
	wantPages(t, "YF", numberedTyped, func(page verify.Page) (sids []string) {
		for _, f := range mustView(t, s, func(tx factor.Tx) ([]factor.Factor, error) { return tx.Factors(owner.SID, page) }) {
			sids = append(sids, f.SID)
		}
		return sids
	})
}

func challengesAreListed(t *testing.T, s Store) {
	owner := entity(1)
	phone, app, stranger := factorOf(1, owner), factorOf(2, owner), factorOf(3, entity(2))
	update(t, s, func(tx factor.Tx) {
		for n := 1; n <= 5; n++ {
			c := challenge(n, phone)
			if n > 3 {
				c = challenge(n, app)
			}
			switch n {
			case 1:
				c.Status = factor.ChallengeApproved
			case 2:
				c.ExpiresAt = noon // just now
			case 5:
				c.Status = factor.ChallengeExpired
			}
			tx.AddChallenge(c)
		}
		tx.AddChallenge(challenge(6, stranger))
	})
	list := func(q factor.ChallengeQuery, page verify.Page) (sids []string) {
		q.EntitySID, q.Now = owner.SID, noon
		for _, c := range mustView(t, s, func(tx factor.Tx) ([]factor.Challenge, error) { return tx.Challenges(q, page) }) {
			sids = append(sids, c.SID)
		}
		return sids
	}
	wantPages(t, "YC", numberedTyped, func(page verify.Page) []string { return list(factor.ChallengeQuery{}, page) })
	for _, c := range []struct {
		q    factor.ChallengeQuery
		page verify.Page
		want []int
	}{
		{factor.ChallengeQuery{NewestFirst: true}, verify.Page{Size: 2}, []int{5, 4}},
		{factor.ChallengeQuery{NewestFirst: true}, verify.Page{Size: 2, After: numberedTyped("YC", 4)}, []int{3, 2}},
		{factor.ChallengeQuery{FactorSID: app.SID}, verify.Page{Size: 9}, []int{4, 5}},
		{factor.ChallengeQuery{FactorSID: stranger.SID}, verify.Page{Size: 9}, nil},
		{factor.ChallengeQuery{Status: factor.ChallengePending}, verify.Page{Size: 9}, []int{3, 4}},
		{factor.ChallengeQuery{Status: factor.ChallengeExpired}, verify.Page{Size: 9}, []int{2, 5}},
		{factor.ChallengeQuery{Status: factor.ChallengeApproved}, verify.Page{Size: 9}, []int{1}},
		{factor.ChallengeQuery{Status: factor.ChallengeDenied}, verify.Page{Size: 9}, nil},
		{factor.ChallengeQuery{FactorSID: phone.SID, Status: factor.ChallengePending, NewestFirst: true}, verify.Page{Size: 9}, []int{3}},
	} {
		var want []string
		for _, n := range c.want {
			want = append(want, numberedTyped("YC", n))
		}
		if diff := cmp.Diff(want, list(c.q, c.page)); diff != "" {
			t.Errorf("%+v %+v:\n%s", c.q, c.page, diff)
		}
	}
}

func deletedFactor(t *testing.T, s Store) {
	gone, stays := factorOf(1, entity(1)), factorOf(2, entity(1))
	pending, approved, others := challenge(1, gone), challenge(2, gone), challenge(3, stays)
	approved.Status = factor.ChallengeApproved
	update(t, s, func(tx factor.Tx) {
		for _, f := range []*factor.Factor{gone, stays} {
			tx.AddFactor(f)
		}
		for _, c := range []*factor.Challenge{pending, approved, others} {
			tx.AddChallenge(c)
		}
	})
	update(t, s, func(tx factor.Tx) { tx.DeleteFactor(gone) })
	if _, err := view(t, s, func(tx factor.Tx) (*factor.Factor, error) { return tx.Factor(gone.SID) }); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the factor is still there: %v", err)
	}
	pending.Status = factor.ChallengeExpired
	for _, want := range []*factor.Challenge{pending, approved, others} {
		got := mustView(t, s, func(tx factor.Tx) (*factor.Challenge, error) { return tx.Challenge(want.SID) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// wantBelow counts what an entity has.
func wantBelow(t *testing.T, s Store, owner *factor.Entity, factors, challenges int) {
	t.Helper()
	all := verify.Page{Size: 1000}
	f := mustView(t, s, func(tx factor.Tx) ([]factor.Factor, error) { return tx.Factors(owner.SID, all) })
	c := mustView(t, s, func(tx factor.Tx) ([]factor.Challenge, error) {
		return tx.Challenges(factor.ChallengeQuery{EntitySID: owner.SID, Now: noon}, all)
	})
	if len(f) != factors || len(c) != challenges {
		t.Errorf("%s has %d factors and %d challenges, want %d and %d", owner.Identity, len(f), len(c), factors, challenges)
	}
}

// addBelow gives an entity a factor and two challenges.
func addBelow(tx factor.Tx, n int, owner *factor.Entity) {
	f := factorOf(n, owner)
	tx.AddEntity(owner)
	tx.AddFactor(f)
	tx.AddChallenge(challenge(2*n, f))
	tx.AddChallenge(challenge(2*n+1, f))
}

func deletedEntity(t *testing.T, s Store) {
	gone, stays := entity(1), entity(2)
	update(t, s, func(tx factor.Tx) {
		addBelow(tx, 1, gone)
		addBelow(tx, 2, stays)
	})
	update(t, s, func(tx factor.Tx) { tx.DeleteEntity(gone) })
	wantBelow(t, s, gone, 0, 0)
	wantBelow(t, s, stays, 1, 2)
	again := entity(3)
	again.Identity = gone.Identity
	update(t, s, func(tx factor.Tx) { tx.AddEntity(again) })
	wantBelow(t, s, again, 0, 0)
}

func entitiesOfAService(t *testing.T, s Store) {
	var gone []*factor.Entity
	stays := entity(100)
	stays.ServiceSID = numbered("VA", 2)
	update(t, s, func(tx factor.Tx) {
		for n := 1; n <= 9; n++ {
			gone = append(gone, entity(n))
			addBelow(tx, n, gone[n-1])
		}
		addBelow(tx, 100, stays)
	})
	steps := 0
	for more := true; more; steps++ {
		if steps > 9 {
			t.Fatal("the steps come to no end")
		}
		if err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) (err error) {
			more, err = tx.DeleteEntities(serviceSID, 4)
			return err
		})); err != nil {
			t.Fatal(err)
		}
	}
	if steps != 3 {
		t.Errorf("9 entities went in %d steps of 4", steps)
	}
	for _, e := range gone {
		wantBelow(t, s, e, 0, 0)
	}
	wantBelow(t, s, stays, 1, 2)
}

func unverifiedAreDropped(t *testing.T, s Store) {
	owner := entity(1)
	have := map[string]bool{}
	update(t, s, func(tx factor.Tx) {
		for n := range 30 {
			f := factorOf(1, owner)
			at := noon.Add(time.Duration(n) * time.Minute)
			f.SID, f.Credential, f.CredentialSID = minted(t, sid.Factor, at), "", ""
			if n%3 > 0 {
				f.Status = factor.Unverified
			}
			have[f.SID] = n >= 20 || f.Status == factor.Verified
			tx.AddFactor(f)
		}
	})
	newest := mustView(t, s, func(tx factor.Tx) ([]factor.Factor, error) { return tx.Unverified(3) })
	if len(newest) != 3 || newest[0].SID <= newest[1].SID || newest[1].SID <= newest[2].SID || newest[0].Status != factor.Unverified {
		t.Errorf("unverified, newest first: %+v", newest)
	}
	for more := true; more; {
		if err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) (err error) {
			more, err = tx.DropUnverified(noon.Add(20*time.Minute), 5)
			return err
		})); err != nil {
			t.Fatal(err)
		}
	}
	left := mustView(t, s, func(tx factor.Tx) ([]factor.Factor, error) { return tx.Factors(owner.SID, verify.Page{Size: 100}) })
	got := map[string]bool{}
	for _, f := range left {
		got[f.SID] = true
	}
	for factorSID, want := range have {
		if got[factorSID] != want {
			t.Errorf("factor %s is there: %v, want %v", factorSID, got[factorSID], want)
		}
	}
}

func oldChallengesAreDropped(t *testing.T, s Store) {
	owner := entity(1)
	f := factorOf(1, owner)
	f.SID = minted(t, sid.Factor, noon)
	old, young := challenge(1, f), challenge(2, f)
	old.SID, young.SID = minted(t, sid.Challenge, noon), minted(t, sid.Challenge, noon.Add(2*day))
	update(t, s, func(tx factor.Tx) {
		tx.AddEntity(owner)
		tx.AddFactor(f)
		tx.AddChallenge(old)
		tx.AddChallenge(young)
	})
	drop(t, s, noon.Add(31*day))
	wantBelow(t, s, owner, 1, 1)
	if _, err := view(t, s, func(tx factor.Tx) (*factor.Challenge, error) { return tx.Challenge(young.SID) }); err != nil {
		t.Errorf("the young one is gone: %v", err)
	}
	update(t, s, func(tx factor.Tx) { tx.PutChallenge(old) }) // harms nobody, and brings nothing back
	wantBelow(t, s, owner, 1, 1)
}

func factorsRollBack(t *testing.T, s Store) {
	owner := entity(1)
	err := s.Update(t.Context(), factor.InTx(func(tx factor.Tx) error {
		addBelow(tx, 1, owner)
		return errRefused
	}))
	if !errors.Is(err, errRefused) {
		t.Errorf("Update returned %v", err)
	}
	if _, err := view(t, s, func(tx factor.Tx) (*factor.Entity, error) { return tx.Entity(serviceSID, owner.Identity) }); !errors.Is(err, verify.ErrNotFound) {
		t.Errorf("the entity is there: %v", err)
	}
	wantBelow(t, s, owner, 0, 0)
}
