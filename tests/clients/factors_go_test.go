//go:build full

package clients

import (
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	verify "github.com/twilio/twilio-go/rest/verify/v2"
)

func TestGoFactors(t *testing.T) { onEach(t, goThroughFactors) }

// The authenticator app is oathtool.
func goThroughFactors(t *testing.T, baseURL string) {
	http.DefaultTransport = divert(baseURL)
	t.Cleanup(func() { http.DefaultTransport = network })
	w := factorWalk{goWalk: goWalk{T: t, api: newClient(authToken), baseURL: baseURL}, identity: "user-go-1"}
	w.service = w.createService(new(verify.CreateServiceParams).SetTotpIssuer("Walk: Go"))
	w.entities()
	w.enrol()
	w.challenges()
	w.refusals()
	w.must(w.api.DeleteEntity(w.service, w.identity))
	_, err := w.api.FetchFactor(w.service, w.identity, w.app)
	w.refused("factor of a deleted entity", err, 404, 20404)
	w.must(w.api.DeleteService(w.service))
}

// factorWalk is a walk of one story.
type factorWalk struct {
	goWalk
	identity string
	app      string // SID
	secret   string
	used     string // the code that verified the factor
}

func (w *factorWalk) entities() {
	for n := 1; n <= 2; n++ {
		e, err := w.api.CreateEntity(w.service, new(verify.CreateEntityParams).SetIdentity(fmt.Sprintf("user-go-%d", n)))
		w.must(err)
		w.same("links of an entity", len(*e.Links), 3)
	}
	_, err := w.api.CreateEntity(w.service, new(verify.CreateEntityParams).SetIdentity("USER-GO-1"))
	w.refused("the same entity", err, 409, 60301)
	list, err := w.api.ListEntity(w.service, new(verify.ListEntityParams).SetPageSize(1))
	w.must(err)
	w.same("entities over pages", len(list), 2)
}

func (w *factorWalk) enrol() {
	f, err := w.api.CreateNewFactor(w.service, w.identity, new(verify.CreateNewFactorParams).
		SetFriendlyName("Ann O'Neil").SetFactorType("totp").SetMetadata(map[string]string{"os": "x"}))
	w.must(err)
	binding, _ := (*f.Binding).(map[string]any)
	w.app, w.secret = *f.Sid, fmt.Sprint(binding["secret"])
	w.same("URI", binding["uri"], any("otpauth://totp/Walk%3A%20Go:Ann%20O%27Neil?secret="+w.secret+"&issuer=Walk%3A%20Go&algorithm=SHA1&digits=6&period=30"))
	w.same("metadata", fmt.Sprint(*f.Metadata), "map[os:x]")
	_, err = w.api.CreateChallenge(w.service, w.identity, w.asking())
	w.refused("challenge of an unverified factor", err, 403, 60318)
	w.used = w.code(0)
	for _, c := range []struct{ code, status string }{{w.code(100), "unverified"}, {w.used, "verified"}} {
		got, err := w.api.UpdateFactor(w.service, w.identity, w.app, new(verify.UpdateFactorParams).SetAuthPayload(c.code))
		w.must(err)
		w.same("status", *got.Status, c.status)
	}
	// A JSON text is encoded once more by this library.
	_, err = w.api.CreateNewFactor(w.service, w.identity, new(verify.CreateNewFactorParams).
		SetFriendlyName("Second").SetFactorType("totp").SetMetadata(`{"os":"y"}`))
	w.must(err)
	list, err := w.api.ListFactor(w.service, w.identity, new(verify.ListFactorParams).SetPageSize(1))
	w.must(err)
	w.same("factors over pages", len(list), 2)
	w.same("metadata that was encoded twice", fmt.Sprint(*list[1].Metadata), "map[os:y]")
	w.must(w.api.DeleteFactor(w.service, w.identity, *list[1].Sid))
}

func (w *factorWalk) asking() *verify.CreateChallengeParams {
	return new(verify.CreateChallengeParams).SetFactorSid(w.app)
}

// code is the code that the app shows now, or some steps later.
func (w *factorWalk) code(steps int) string {
	w.Helper()
	at := time.Now().Add(time.Duration(steps) * 30 * time.Second)
	out, err := exec.Command("oathtool", "--totp", "--base32", "--digits", strconv.Itoa(6),
		"--now", at.UTC().Format("2006-01-02 15:04:05 UTC"), w.secret).Output()
	w.must(err)
	return strings.TrimSpace(string(out))
}

func (w *factorWalk) challenges() {
	spent, err := w.api.CreateChallenge(w.service, w.identity, w.asking().SetAuthPayload(w.used))
	w.must(err)
	w.same("a code that is spent", *spent.Status, "pending")
	w.same("no answer yet", spent.DateResponded == nil, true)

	ends := time.Now().Truncate(time.Second).Add(20 * time.Minute)
	field := map[string]string{"label": "IP", "value": "203.0.113.9"}
	asked, err := w.api.CreateChallenge(w.service, w.identity, w.asking().SetExpirationDate(ends).
		SetDetailsMessage("Log in?").SetDetailsFields([]any{field, field}).SetHiddenDetails(map[string]string{"tx": "4711"}))
	w.must(err)
	w.same("expiration", asked.ExpirationDate.Equal(ends), true)
	w.same("details", fmt.Sprint(*asked.Details), "map[fields:[map[label:IP value:203.0.113.9] map[label:IP value:203.0.113.9]] message:Log in?]")

	// The next code is taken already: the skew is 1.
	right := new(verify.UpdateChallengeParams).SetAuthPayload(w.code(1))
	got, err := w.api.UpdateChallenge(w.service, w.identity, *asked.Sid, right)
	w.must(err)
	w.same("answer", *got.Status, "approved")
	w.same("time of the answer", got.DateResponded == nil, false)
	_, err = w.api.UpdateChallenge(w.service, w.identity, *asked.Sid, right)
	w.refused("a second answer", err, 403, 60322)
	got, err = w.api.UpdateChallenge(w.service, w.identity, *spent.Sid, right)
	w.must(err)
	w.same("the same code for another challenge", *got.Status, "pending")

	for _, c := range []struct {
		params *verify.ListChallengeParams
		want   string
	}{
		{new(verify.ListChallengeParams), *spent.Sid + " " + *asked.Sid},
		{new(verify.ListChallengeParams).SetOrder("desc").SetFactorSid(w.app), *asked.Sid + " " + *spent.Sid},
		{new(verify.ListChallengeParams).SetStatus("pending"), *spent.Sid},
	} {
		list, err := w.api.ListChallenge(w.service, w.identity, c.params.SetPageSize(1))
		w.must(err)
		var sids []string
		for _, challenge := range list {
			sids = append(sids, *challenge.Sid)
		}
		w.same("challenges", strings.Join(sids, " "), c.want)
	}
}

func (w *factorWalk) refusals() {
	params := func() *verify.CreateNewFactorParams {
		return new(verify.CreateNewFactorParams).SetFriendlyName("P").SetFactorType("totp")
	}
	for _, c := range []struct {
		what         string
		params       *verify.CreateNewFactorParams
		status, code int
	}{
		{"the same secret", params().SetBindingSecret(w.secret), 409, 60317},
		{"no secret", params().SetBindingSecret("MFRGG"), 400, 60314},
		{"passkeys", params().SetFactorType("passkeys"), 400, 60369},
		{"a bad step", params().SetConfigTimeStep(5), 400, 60306},
		{"no name", new(verify.CreateNewFactorParams).SetFactorType("totp"), 400, 20001},
	} {
		_, err := w.api.CreateNewFactor(w.service, w.identity, c.params)
		w.refused(c.what, err, c.status, c.code)
	}
	_, err := w.api.CreateChallenge(w.service, w.identity, new(verify.CreateChallengeParams).SetFactorSid("YF02"+strings.Repeat("0", 30)))
	w.refused("unknown factor", err, 404, 60390)
	_, err = w.api.ListChallenge(w.service, "user-go-9", new(verify.ListChallengeParams))
	w.refused("unknown entity", err, 404, 20404)
}
