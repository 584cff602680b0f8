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

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/verifyd/verifyd/internal/api"
	"github.com/verifyd/verifyd/internal/keyring"
	"github.com/verifyd/verifyd/internal/store/sqlite"
	"github.com/verifyd/verifyd/internal/verify"
)

// A machine that is busy with other tests may need a minute to start a browser.
const patience = 5 * time.Minute

// openSite is the sample over a verifyd with a service of those criteria. Its URL is of localhost.
func openSite(t *testing.T, attachment, discoverable, verification string) string {
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
		PasskeysAuthenticatorAttachment: &attachment,
		PasskeysDiscoverableCredentials: &discoverable,
		PasskeysUserVerification:        &verification,
	})
	if err != nil {
		t.Fatal(err)
	}
	verifyd := httptest.NewServer(api.New(engine, "", log))
	t.Cleanup(verifyd.Close)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: newSite(verifyd.URL, service.SID, account.SID, token)}}
	server.Start()
	t.Cleanup(server.Close)
	return origin
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

// plug gives the browser an authenticator.
func (b *browser) plug(transport webauthn.AuthenticatorTransport, resident, verifies, synced bool) {
	b.t.Helper()
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol:                    webauthn.AuthenticatorProtocolCtap2,
			Transport:                   transport,
			HasResidentKey:              resident,
			HasUserVerification:         verifies,
			IsUserVerified:              verifies,
			AutomaticPresenceSimulation: true,
			DefaultBackupEligibility:    synced,
			DefaultBackupState:          synced,
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

func (b *browser) login() string {
	b.t.Helper()
	return b.says(`document.querySelector("#login").click()`)
}

const ann = "user-7f3a91c2"

// A person makes a passkey and logs in with it, twice, with every kind of authenticator.
func TestPasskeysInABrowser(t *testing.T) {
	b := openBrowser(t)
	for name, c := range map[string]struct {
		attachment, discoverable, verification string
		transport                              webauthn.AuthenticatorTransport
		verifies, synced                       bool
	}{
		"in the laptop":          {"platform", "required", "required", webauthn.AuthenticatorTransportInternal, true, false},
		"synced between devices": {"any", "required", "preferred", webauthn.AuthenticatorTransportInternal, true, true},
		"a security key":         {"cross-platform", "preferred", "preferred", webauthn.AuthenticatorTransportUsb, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := &browser{t: t, ctx: b.ctx}
			b.plug(c.transport, true, c.verifies, c.synced)
			defer b.unplug()
			b.open(openSite(t, c.attachment, c.discoverable, c.verification))
			if got := b.register(ann); got != "The passkey of "+ann+" is verified." {
				t.Fatalf("registration: %q", got)
			}
			for range 2 {
				if got := b.login(); got != "Welcome, "+ann+": approved." {
					t.Fatalf("login: %q", got)
				}
			}
			// The browser finds the key among those that are left out.
			if got := b.register(ann); !strings.HasPrefix(got, "That did not work.") {
				t.Errorf("the same authenticator again: %q", got)
			}
		})
	}
}

// A key that no authenticator finds by itself opens when it is named: that of one that checks nobody,
// which keeps none.
func TestAKeyThatIsNamed(t *testing.T) {
	b := openBrowser(t)
	b.plug(webauthn.AuthenticatorTransportUsb, false, false, false)
	b.open(openSite(t, "any", "discouraged", "discouraged"))
	if got := b.register(ann); got != "The passkey of "+ann+" is verified." {
		t.Fatalf("registration: %q", got)
	}
	named := fmt.Sprintf(`(async () => {
		const ask = async (path, body) => (await fetch(path, { method: "POST", body: JSON.stringify(body) })).json();
		const { options } = await ask("/login", { identity: %q });
		const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
		const { identity, status } = await ask("/login/answer", await navigator.credentials.get({ publicKey }));
		said.textContent = identity + " " + status;
	})()`, ann)
	if got := b.says(named); got != ann+" approved" {
		t.Errorf("login: %q", got)
	}
}

// What a broken or dishonest authenticator says is refused, and the page shows the code.
func TestRefusalsInABrowser(t *testing.T) {
	b := openBrowser(t)
	b.plug(webauthn.AuthenticatorTransportInternal, true, true, false)
	b.open(openSite(t, "platform", "required", "required"))
	if got := b.register(ann); got != "The passkey of "+ann+" is verified." {
		t.Fatalf("registration: %q", got)
	}
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
