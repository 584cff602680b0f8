//go:build full

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// A machine that is busy with other tests may need a minute to start a browser.
const patience = 5 * time.Minute

// criteria say which authenticators a service takes.
type criteria struct{ attachment, discoverable, verification string }

// website is the sample over a verifyd of its own.
type website struct {
	t       *testing.T
	engine  *verify.Engine
	account string
	service string
	origin  string // its URL, of localhost
}

// change changes the service.
func (s *website) change(p verify.ServiceParams) {
	s.t.Helper()
	if _, err := s.engine.UpdateService(s.t.Context(), s.account, s.service, p); err != nil {
		s.t.Fatal(err)
	}
}

func openSite(t *testing.T, c criteria) *website {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)

	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(t.Context(), "memory:"+t.Name(), sqlite.Options{Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyring.Parse([]byte("1 " + strings.Repeat("42", 32)))
	if err != nil {
		t.Fatal(err)
	}
	engine := verify.NewEngine(store, keys, time.Now, rand.Reader, func(verify.Channel) bool { return true })
	account, token, err := engine.CreateAccount(t.Context(), "test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	service, err := engine.CreateService(t.Context(), account.SID, verify.ServiceParams{
		FriendlyName:                    new("Acme"),
		PasskeysRelyingPartyID:          new("localhost"),
		PasskeysOrigins:                 &origin,
		PasskeysAuthenticatorAttachment: &c.attachment,
		PasskeysDiscoverableCredentials: &c.discoverable,
		PasskeysUserVerification:        &c.verification,
	})
	if err != nil {
		t.Fatal(err)
	}
	verifyd := httptest.NewServer(api.New(engine, "", log))
	t.Cleanup(verifyd.Close)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: newSite(verifyd.URL, service.SID, account.SID, token)}}
	server.Start()
	t.Cleanup(server.Close)
	return &website{t: t, engine: engine, account: account.SID, service: service.SID, origin: origin}
}

// openBrowser is a tab of Chromium with a virtual authenticator.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv("CHROMIUM"), "chromium-headless-shell"))
	if err != nil {
		t.Fatalf("the browser tests need Chromium (`make tools` installs it; where it has another name, set CHROMIUM to its path): %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close the browser: %v", err)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	tab, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(tab, patience)
	t.Cleanup(cancel)
	if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, ctx: ctx}
}

type browser struct {
	t             *testing.T
	ctx           context.Context
	authenticator webauthn.AuthenticatorID
}

// in is the browser in a test of its own.
func (b *browser) in(t *testing.T) *browser { return &browser{t: t, ctx: b.ctx} }

// plug gives the browser an authenticator.
func (b *browser) plug(d device) {
	b.t.Helper()
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol:                    webauthn.AuthenticatorProtocolCtap2,
			Transport:                   d.transport,
			HasResidentKey:              d.resident,
			HasUserVerification:         d.verifies,
			IsUserVerified:              d.verifies,
			AutomaticPresenceSimulation: true,
			DefaultBackupEligibility:    d.synced,
			DefaultBackupState:          d.synced,
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.authenticator = added.AuthenticatorID
}

func (b *browser) unplug() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: b.authenticator}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatal(err)
	}
}

// says waits for the page's answer to what was pressed.
func (b *browser) says(pressed string) string {
	b.t.Helper()
	said, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(`new Promise((done) => {
		const said = document.querySelector("#said");
		said.textContent = "…";
		%s;
		(function look() { said.textContent === "…" ? setTimeout(look, 20) : done(said.textContent); })();
	})`, pressed), chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return said
}

func (b *browser) register(identity string) string {
	b.t.Helper()
	return b.says(fmt.Sprintf(`document.querySelector("[name=identity]").value = %q; document.querySelector("#register button").click()`, identity))
}

func (b *browser) mustRegister(identity string) {
	b.t.Helper()
	if got := b.register(identity); got != "The passkey of "+identity+" is verified." {
		b.t.Fatalf("registration: %q", got)
	}
}

// runs is what the steps of a page return that does what the sample's page does, piece by piece.
func (b *browser) runs(steps string) string {
	b.t.Helper()
	return b.says(`(async () => {
		const ask = async (path, body) => (await fetch(path, { method: "POST", body: JSON.stringify(body) })).json();
		const make = async (whose) => {
			const { options } = await ask("/register", whose);
			return (await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey) })).toJSON();
		};
		const prove = async (whose) => {
			const { options } = await ask("/login", whose);
			return (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey) })).toJSON();
		};
		` + steps + `
	})().then((text) => said.textContent = text, (e) => said.textContent = "failed: " + e)`)
}

func (b *browser) login() string {
	b.t.Helper()
	return b.says(`document.querySelector("#login").click()`)
}

// mustLogin logs in as ann.
func (b *browser) mustLogin() {
	b.t.Helper()
	if got := b.login(); got != "Welcome, "+ann+": approved." {
		b.t.Fatalf("login: %q", got)
	}
}

const ann = "user-7f3a91c2"

// device is an authenticator.
type device struct {
	transport webauthn.AuthenticatorTransport
	resident  bool // it can find keys by itself
	verifies  bool // it can check who uses it
	synced    bool
}

var (
	laptop    = device{webauthn.AuthenticatorTransportInternal, true, true, false}
	telephone = device{webauthn.AuthenticatorTransportInternal, true, true, true}
	withPIN   = device{webauthn.AuthenticatorTransportUsb, true, true, false}
	plain     = device{webauthn.AuthenticatorTransportUsb, false, false, false}
)

// A person makes a passkey and logs in with it, twice, without a name.
func TestPasskeysInABrowser(t *testing.T) {
	b := openBrowser(t)
	for name, c := range map[string]struct {
		criteria
		device
	}{
		"in the laptop":                       {criteria{"platform", "required", "required"}, laptop},
		"in the laptop, whoever uses it":      {criteria{"platform", "preferred", "discouraged"}, laptop},
		"synced between devices":              {criteria{"any", "required", "preferred"}, telephone},
		"a security key with a PIN":           {criteria{"cross-platform", "required", "required"}, withPIN},
		"a security key, and it may be asked": {criteria{"cross-platform", "preferred", "preferred"}, withPIN},
		"a security key, whoever uses it":     {criteria{"cross-platform", "required", "discouraged"}, withPIN},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.plug(c.device)
			defer b.unplug()
			b.open(openSite(t, c.criteria).origin)
			b.mustRegister(ann)
			for range 2 {
				b.mustLogin()
			}
			// The browser finds the key among those that are left out.
			if got := b.register(ann); !strings.HasPrefix(got, "That did not work.") {
				t.Errorf("the same authenticator again: %q", got)
			}
		})
	}
}

// A key that no authenticator finds by itself opens when it is named.
func TestAKeyThatIsNamed(t *testing.T) {
	b := openBrowser(t)
	for name, c := range map[string]struct {
		criteria
		device
	}{
		"in the laptop":                   {criteria{"platform", "discouraged", "required"}, laptop},
		"a security key that has no room": {criteria{"cross-platform", "discouraged", "discouraged"}, plain},
	} {
		t.Run(name, func(t *testing.T) {
			b := b.in(t)
			b.plug(c.device)
			defer b.unplug()
			b.open(openSite(t, c.criteria).origin)
			b.mustRegister(ann)
			got := b.runs(`
				const proof = await prove({ identity: "` + ann + `" });
				const { identity, status } = await ask("/login/answer", proof);
				return identity + " " + status;`)
			if got != ann+" approved" {
				t.Errorf("login: %q", got)
			}
		})
	}
}

// An authenticator that cannot check who uses it serves where that is preferred, and has no place where
// it is required: the browser does not even ask it.
func TestAnAuthenticatorThatCannotVerify(t *testing.T) {
	b := openBrowser(t)
	b.plug(plain)
	site := openSite(t, criteria{"any", "discouraged", "preferred"})
	b.open(site.origin)
	b.mustRegister(ann)
	login := `return (await ask("/login/answer", await prove({ identity: "` + ann + `" }))).status`
	if got := b.runs(login); got != "approved" {
		t.Errorf("where it is preferred: %q", got)
	}
	site.change(verify.ServiceParams{PasskeysUserVerification: new("required")})
	if got := b.runs(login); !strings.HasPrefix(got, "failed: NotAllowedError") {
		t.Errorf("where it is required: %q", got)
	}
	if got := b.register("user-00000000"); !strings.HasPrefix(got, "That did not work.") {
		t.Errorf("a new key where it is required: %q", got)
	}
}

// What a broken or dishonest authenticator says is refused, and the page shows the code.
func TestRefusalsInABrowser(t *testing.T) {
	b := openBrowser(t)
	b.plug(laptop)
	b.open(openSite(t, criteria{"platform", "required", "required"}).origin)
	b.mustRegister(ann)
	yes := true
	for want, lie := range map[string]webauthn.SetResponseOverrideBitsParams{
		"60381": {IsBogusSignature: &yes},
		"60379": {IsBadUV: &yes},
	} {
		lie.AuthenticatorID = b.authenticator
		if _, err := chromedp.Call(b.ctx, webauthn.SetResponseOverrideBits, lie); err != nil {
			t.Fatal(err)
		}
		if got := b.login(); !strings.Contains(got, want) {
			t.Errorf("%q, want %s", got, want)
		}
	}
}

// An answer opens once, and a new key is taken whole, once, and from the pages of the service alone.
func TestAnswersThatAreRefused(t *testing.T) {
	b := openBrowser(t)
	b.plug(laptop)
	site := openSite(t, criteria{"platform", "required", "required"})
	b.open(site.origin)
	got := b.runs(`
		const key = await make({ identity: "` + ann + `" });
		const cut = { ...key, response: { ...key.response, attestationObject: key.response.attestationObject.slice(0, 100) } };
		const made = [await ask("/register/answer", cut), await ask("/register/answer", key), await ask("/register/answer", key)];
		const proof = await prove({});
		const proven = [await ask("/login/answer", proof), await ask("/login/answer", proof)];
		return [...made, ...proven].map(({ code, status }) => code ?? status).join();`)
	if want := "60386,verified,60383,approved,60322"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	site.change(verify.ServiceParams{PasskeysOrigins: new("https://example.com")})
	b.unplug()
	b.plug(laptop)
	if got := b.register("user-00000000"); !strings.Contains(got, "60380") {
		t.Errorf("a new key from another page: %q", got)
	}
}

// A key that was copied when it had counted less is found out.
func TestACopiedKey(t *testing.T) {
	b := openBrowser(t)
	b.plug(laptop)
	b.open(openSite(t, criteria{"platform", "required", "required"}).origin)
	b.mustRegister(ann)
	copies, err := chromedp.Call(b.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: b.authenticator})
	if err != nil || len(copies.Credentials) != 1 {
		t.Fatalf("%d credentials, %v", len(copies.Credentials), err)
	}
	for range 2 {
		b.mustLogin()
	}
	b.unplug()
	b.plug(laptop)
	// The library's own command sends what belongs to an extension, too, which Chromium refuses.
	add, key := cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}, copies.Credentials[0]
	if _, err := chromedp.Call(b.ctx, add, map[string]any{"authenticatorId": b.authenticator, "credential": map[string]any{
		"credentialId": key.CredentialID, "isResidentCredential": key.IsResidentCredential, "rpId": key.RpID,
		"privateKey": key.PrivateKey, "userHandle": key.UserHandle, "signCount": key.SignCount,
	}}); err != nil {
		t.Fatal(err)
	}
	if got := b.login(); !strings.Contains(got, "60379") {
		t.Errorf("login with the copy: %q", got)
	}
}
