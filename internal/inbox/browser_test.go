//go:build full

package inbox

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The tests here drive the page in Chromium, as a person would. They fail, and are not skipped,
// where there is none: whoever asks for the full tests means these. With VERIFYD_SCREENSHOTS set
// to a folder they leave pictures there.

// A machine that is busy with other tests may need a minute to start a browser.
const patience = 5 * time.Minute

// startBrowser is a browser for all the tests that share its context.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv("CHROMIUM"), "chromium-headless-shell"))
	if err != nil {
		t.Fatalf("the browser tests need Chromium (`make tools` installs it; where it has another name, set CHROMIUM to its path): %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true),
		// As in a browser with a window: a frame in a sandbox has a process of its own.
		chromedp.Flag("site-per-process", true),
		chromedp.Flag("enable-features", "IsolateSandboxedIframes"),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	// It is closed, not killed: what starts it may be a script, and the browser would live on and
	// write to its folder while that is removed.
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
	return ctx
}

// tab is one page. Whatever the browser complains of is kept.
type tab struct {
	t   *testing.T
	ctx context.Context
	// around is the tab that a frame is in.
	around *tab

	mu         sync.Mutex
	complaints []string
}

func openTab(t *testing.T, browserContext context.Context, width, height int64) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browserContext)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(width, height))
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name},
			Setting:    browser.PermissionSettingGranted,
		})
		if err != nil {
			t.Fatalf("grant %s: %v", name, err)
		}
	}
	return b
}

// listen keeps what a developer would see in red or yellow: violations of the policy, failed
// requests, exceptions, console.error and console.warn.
func (b *tab) listen(ev any) {
	var complaint string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		complaint = (&chromedp.ExceptionError{ExceptionDetails: ev.ExceptionDetails}).Error()
	case *runtime.EventConsoleAPICalled:
		complaint = fmt.Sprintf("console.%s", ev.Type)
		for _, arg := range ev.Args {
			complaint += " " + string(arg.Value)
		}
	case *cdplog.EventEntryAdded:
		complaint = fmt.Sprintf("%s %s: %s %s", ev.Entry.Source, ev.Entry.Level, ev.Entry.Text, ev.Entry.URL)
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, complaint)
}

func (b *tab) wantNoComplaints() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		b.t.Errorf("the browser complains:\n%s", strings.Join(b.complaints, "\n"))
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys, asPressed))
}

// asPressed makes the event that a keyboard makes. After chromedp's own, a shortcut that was taken
// would still be typed.
func asPressed(p *input.DispatchKeyEventParams) {
	if p.Type == kb.KeyDown {
		p.Type = kb.KeyRawDown
	}
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// eval is the value of a JavaScript expression; a promise is waited for.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	options := []chromedp.EvaluateOption{chromedp.EvalAwaitPromise}
	if b.around != nil {
		options = nil // where no script may run, a promise is never kept
	}
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// await waits until the expression is true. chromedp.Poll would build a function from text, which
// the page's policy forbids.
func (b *tab) await(expression string) {
	b.t.Helper()
	if b.around != nil {
		for !eval[bool](b, expression) { // until the tab's time is up
			b.breathe()
		}
		return
	}
	came := eval[bool](b, fmt.Sprintf(`new Promise((done) => {
		const end = Date.now() + 60000;
		(function look() { (%s) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 20); })();
	})`, expression))
	if !came {
		b.t.Fatalf("never came true: %s\nthe page says:\n%s", expression, eval[string](b, `document.body.innerText`))
	}
}

// breathe lets the page draw itself once.
func (b *tab) breathe() {
	b.t.Helper()
	if b.around != nil {
		b.around.breathe()
		return
	}
	eval[bool](b, `new Promise((done) => requestAnimationFrame(() => done(true)))`)
}

func (b *tab) want(expression, want string) {
	b.t.Helper()
	if got := eval[string](b, expression); got != want {
		b.t.Errorf("%s = %q, want %q", expression, got, want)
	}
}

// prefer sets the system's choice of colours, and stops what moves.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// shoot saves a picture, where pictures are asked for.
func (b *tab) shoot(name string) {
	b.t.Helper()
	if os.Getenv("VERIFYD_SCREENSHOTS") == "" {
		return
	}
	b.do(chromedp.MouseEvent("mouseMoved", 1, 1)) // it would light up what it rests on
	b.breathe()
	b.breathe()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("VERIFYD_SCREENSHOTS"), name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
