//go:build full

package inbox

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/verifyd/verifyd/provider"
)

const (
	rows      = `[...document.querySelectorAll("#rows .row-to")].map((e) => e.lastChild.textContent).join(" ")`
	rowCount  = `document.querySelectorAll("#rows .row").length`
	shownTo   = `(document.querySelector("#to")?.firstChild.textContent ?? "")`
	state     = `document.querySelector("#state").textContent`
	clipboard = `navigator.clipboard.readText()`
)

func TestPageInABrowser(t *testing.T) {
	browser := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, context.Context)
	}{
		{"messages appear as they are sent", messagesAppear},
		{"the keyboard is enough", keyboardIsEnough},
		{"search", searchByDestination},
		{"an e-mail shows both of its bodies", emailBodies},
		{"states change in place", statesChange},
		{"a link leads to its message", linksLead},
		{"clear asks first", clearAsks},
		{"a lost connection is made good", lostConnection},
		{"colours are remembered", coloursAreRemembered},
		{"hostile text stays text", hostileTextStaysText},
		{"a phone shows the list or the message", phoneWidth},
		{"text can be read on its ground", contrastIsEnough},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, browser) })
	}
	if os.Getenv("VERIFYD_SCREENSHOTS") != "" {
		t.Run("pictures for the documents", func(t *testing.T) { pictures(t, browser) })
	}
}

// serve starts the inbox on loopback.
func serve(t *testing.T, in *Inbox) (page string, server *httptest.Server) {
	t.Helper()
	server = httptest.NewServer(in.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(in.Close) // before the server, which waits for the stream
	return server.URL + "/dev/inbox", server
}

// openSamples is a page that shows the five samples.
func openSamples(t *testing.T, ctx context.Context, o Options, width, height int64) (*tab, *Inbox, string) {
	t.Helper()
	in := New(o)
	for _, m := range samples() {
		send(t, in, m)
	}
	page, _ := serve(t, in)
	b := openTab(t, ctx, width, height)
	b.do(chromedp.Navigate(page))
	b.await(rowCount + ` === 5`)
	return b, in, page
}

func messagesAppear(t *testing.T, ctx context.Context) {
	in := New(Options{Hint: "curl -d To=+34612345678 -d Channel=sms http://localhost"})
	page, _ := serve(t, in)
	b := openTab(t, ctx, 1280, 800)
	b.do(chromedp.Navigate(page))
	b.await(`document.body.dataset.view === "empty"`)
	b.want(`document.querySelector("#hint").textContent`, "curl -d To=+34612345678 -d Channel=sms http://localhost")
	b.await(`document.querySelector("#live").textContent === "Live"`)
	eval[bool](b, `window.sameDocument = true`)

	want := ""
	for i, m := range samples() {
		send(t, in, m)
		want = strings.TrimSpace(m.To + " " + want)
		b.await(fmt.Sprintf(`%s === %d`, rowCount, i+1))
		b.want(rows, want)
		b.await(fmt.Sprintf(`%s === %q`, shownTo, m.To)) // the newest takes the stage
		b.want(`document.querySelector(".code").textContent`, m.Code)
		b.want(`document.querySelector("#announcer").textContent.endsWith("code " + document.querySelector(".code").textContent) + ""`, "true")
	}
	b.want(`String(window.sameDocument)`, "true")
	b.want(`document.querySelector("#count").textContent`, "5 messages")

	// A message that is held stays.
	b.click(`#rows li:last-child .row`)
	b.await(shownTo + ` === "+34612345678"`)
	send(t, in, sampleCall())
	b.await(rowCount + ` === 6`)
	b.want(shownTo, "+34612345678")
	b.wantNoComplaints()
}

func keyboardIsEnough(t *testing.T, ctx context.Context) {
	b, _, _ := openSamples(t, ctx, Options{}, 1280, 800)
	b.press("j")
	b.await(shownTo + ` === "+5511961234567"`)
	b.press("c")
	b.await(`document.querySelector("#announcer").textContent === "Copied"`)
	b.want(clipboard, "205518")
	b.press(kb.ArrowDown)
	b.press("j")
	b.await(shownTo + ` === "+447700900123"`)
	b.press("c")
	b.await(`document.querySelector("#copy-code").dataset.copied === ""`)
	b.want(clipboard, "739204")
	b.press("k")
	b.press(kb.ArrowUp)
	b.press("k")
	b.press("k") // there is nothing newer
	b.await(shownTo + ` === "+14155550134"`)
	b.want(`String(document.querySelector("#newest").hidden)`, "true")
	b.press(kb.Escape) // lets it go
	b.await(`location.hash === "" && !document.querySelector("#newest").hidden`)

	b.press("?")
	b.await(`document.querySelector("#help").open`)
	b.press("j") // is not for the list now
	b.press(kb.Escape)
	b.await(`!document.querySelector("#help").open`)
	b.want(shownTo, "+14155550134")

	// A shortcut of the browser is left to it.
	b.do(chromedp.KeyEvent("c", asPressed, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.want(clipboard, "739204")
	b.wantNoComplaints()
}

func searchByDestination(t *testing.T, ctx context.Context) {
	b, in, page := openSamples(t, ctx, Options{}, 1280, 800)
	b.press("/")
	b.press("EXAMPLE.c") // c copies nothing here
	// The page may look once for several letters, and before the last of them.
	b.await(rowCount + ` === 1 && new URLSearchParams(location.search).get("to") === "EXAMPLE.c"`)
	b.want(rows, "Ines.Moreau@example.com")
	b.want(shownTo, "Ines.Moreau@example.com")
	b.want(`document.querySelector("#count").textContent`, "1 of 5 messages")

	// What arrives is searched too.
	send(t, in, textTo("+33639980123", "1"))
	m := sampleEmail()
	m.To = "paul@example.com"
	send(t, in, m)
	b.await(rowCount + ` === 2`)
	b.want(rows, "paul@example.com Ines.Moreau@example.com")

	b.press(kb.Escape)
	b.await(rowCount + ` === 7`)
	b.want(`location.search`, "")
	b.want(`document.activeElement.tagName`, "BODY")
	b.press("/")
	b.press("nobody")
	b.await(`document.querySelector("#nothing").textContent === "Nothing went to “nobody”."`)
	b.want(`String(document.querySelector("#nothing").hidden)`, "false")

	// The address is a search, also as people write it by hand.
	b.do(chromedp.Navigate(page + "?to=+34612345678"))
	b.await(rowCount + ` === 1`)
	b.want(rows, "+34612345678")
	b.want(`document.querySelector("#search").value`, "+34612345678")
	b.wantNoComplaints()
}

func emailBodies(t *testing.T, ctx context.Context) {
	b, _, _ := openSamples(t, ctx, Options{}, 1280, 800)
	b.click(`#rows li:nth-child(3) .row`)
	b.await(shownTo + ` === "Ines.Moreau@example.com"`)
	b.want(`document.querySelector(".mail h3").textContent`, "160877 is your Fernweh verification code")
	b.want(`document.querySelector(".sender b").textContent`, "Fernweh")

	frame := b.frame("/html")
	frame.await(`document.querySelector(".code")?.textContent === "160877"`)
	frame.want(`self.origin`, "null")
	frame.want(`getComputedStyle(document.querySelector(".card")).maxWidth`, "440px") // its own styles hold

	b.click(`#tab-text`)
	b.await(`document.querySelector(".plain")?.textContent.startsWith("Hello,")`)
	b.want(`document.querySelector("#tab-text").ariaSelected`, "true")
	b.press(kb.ArrowLeft)
	b.await(`document.querySelector("iframe") !== null`)
	b.want(`document.activeElement.id`, "tab-html")
	b.wantNoComplaints()
}

// frame is a document within the tab, which has a process of its own.
func (b *tab) frame(suffix string) *tab {
	b.t.Helper()
	for {
		targets, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, info := range targets {
			if info.Type == "iframe" && strings.HasSuffix(info.URL, suffix) {
				return b.attach(info.TargetID)
			}
		}
		b.breathe()
	}
}

func (b *tab) attach(id target.ID) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
	b.t.Cleanup(cancel)
	return &tab{t: b.t, ctx: ctx, around: b}
}

func statesChange(t *testing.T, ctx context.Context) {
	st := newStates()
	for i := range 5 {
		st.set(sampleSID("VE", i+1), "pending")
	}
	b, _, _ := openSamples(t, ctx, Options{State: st.get}, 1280, 800)
	b.want(state, "Pending")
	st.set(sampleSID("VE", 5), "approved")
	b.await(state + ` === "Approved"`)
	b.want(`document.querySelector("#rows .row .state").textContent`, "Approved")
	st.set(sampleSID("VE", 1), "max_attempts_reached")
	b.await(`document.querySelector("#rows li:last-child .state").textContent === "Max attempts"`)
	b.wantNoComplaints()
}

func linksLead(t *testing.T, ctx context.Context) {
	b, in, page := openSamples(t, ctx, Options{}, 1280, 800)
	b.click(`#rows li:nth-child(4) .row`)
	b.await(shownTo + ` === "+447700900123"`)
	b.click(`#rows li:nth-child(2) .row`)
	b.await(shownTo + ` === "+5511961234567"`)
	b.do(chromedp.Reload())
	b.await(shownTo + ` === "+5511961234567"`)
	b.do(chromedp.NavigateBack())
	b.await(shownTo + ` === "+447700900123"`)

	in.Clear()
	b.await(`document.querySelector(".gone h2")?.textContent === "This message is gone"`)
	b.do(chromedp.Navigate(page))
	b.await(`document.body.dataset.view === "empty"`)
}

func clearAsks(t *testing.T, ctx context.Context) {
	b, in, _ := openSamples(t, ctx, Options{}, 1280, 800)
	b.click(`#clear`)
	b.await(`document.querySelector("#confirm").open`)
	b.want(`document.querySelector("#confirm-text").textContent`, "All 5 messages go for good. Verifications are not touched.")
	b.click(`#confirm [data-close]`)
	b.await(`!document.querySelector("#confirm").open`)
	b.want(`String(`+rowCount+`)`, "5")
	b.click(`#clear`)
	b.click(`#confirm-clear`)
	b.await(`document.body.dataset.view === "empty"`)
	if n := len(in.Messages(t.Context(), Query{})); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	send(t, in, sampleSMS())
	b.await(rowCount + ` === 1`)
	b.wantNoComplaints()
}

func lostConnection(t *testing.T, ctx context.Context) {
	in := New(Options{})
	page, server := serve(t, in)
	b := openTab(t, ctx, 1280, 800)
	b.do(chromedp.Navigate(page))
	b.await(`document.querySelector("#live").textContent === "Live"`)
	server.CloseClientConnections()
	send(t, in, sampleSMS())
	b.await(rowCount + ` === 1 && document.querySelector("#live").textContent === "Live"`)
}

func coloursAreRemembered(t *testing.T, ctx context.Context) {
	b, _, _ := openSamples(t, ctx, Options{}, 1280, 800)
	const ground = `getComputedStyle(document.body).backgroundColor`
	b.prefer("dark")
	dark := eval[string](b, ground)
	b.prefer("light")
	light := eval[string](b, ground)
	if dark == light {
		t.Fatalf("dark and light are both %s", dark)
	}
	b.click("#theme") // light
	b.click("#theme") // dark
	b.want(ground, dark)
	b.want(`document.querySelector("#theme").title`, "Colours: dark")
	b.do(chromedp.Reload())
	b.await(rowCount + ` === 5`)
	b.want(ground, dark)
	b.click("#theme") // as the system has it
	b.want(ground, light)
	b.wantNoComplaints()
}

func hostileTextStaysText(t *testing.T, ctx context.Context) {
	const attack = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>${1}{{1}}`
	in := New(Options{Hint: attack + strings.Repeat("x", 300), State: func(context.Context, string) (string, error) { return attack, nil }})
	page, _ := serve(t, in)
	b := openTab(t, ctx, 1280, 800)
	b.do(chromedp.Navigate(page))
	b.await(`document.body.dataset.view === "empty"`)
	b.want(`document.querySelector("#hint").textContent`, attack+strings.Repeat("x", 300))
	b.want(`String(document.documentElement.scrollWidth <= innerWidth)`, "true") // a long hint scrolls by itself
	for i, m := range samples() {
		m.Brand, m.From, m.To, m.Code, m.Text, m.Locale = attack, attack, attack, attack, "Your code: "+attack, attack
		m.Verification, m.Attempt, m.Encoding = attack, attack, attack
		if m.Speech != nil {
			m.Speech = &provider.Speech{Language: attack, Voice: attack, Parts: []provider.SpeechPart{{Say: attack}, {Digits: attack}}, PressKey: true, PressKeyPrompt: attack, SendDigits: attack}
		}
		if m.Template != nil {
			m.Template = &provider.Template{Name: attack, Language: attack}
		}
		if m.Email != nil {
			m.Email = &provider.Email{Subject: attack, Text: attack, From: attack, FromName: attack,
				HTML: "<p>" + attack + "</p><script>parent.document.title='pwned'; window.pwned=1</script>"}
		}
		send(t, in, m)
		b.await(fmt.Sprintf(`%s === %d`, rowCount, i+1))
		b.want(shownTo, attack)
		b.want(`document.querySelector(".code").textContent`, attack)
		b.want(`document.querySelector("#state").textContent`, attack)
		if m.Channel == "email" {
			frame := b.frame("/html")
			frame.await(`document.querySelector("p") !== null`)
			frame.want(`typeof window.pwned`, "undefined")
		}
	}
	b.want(`String(document.querySelectorAll("#rows .row-to").length)`, "5")
	b.want(`String(document.querySelectorAll("img[src=x], body script").length)`, "0")
	b.want(`typeof window.pwned`, "undefined")
	b.want(`document.title`, "Inbox · verifyd")
	b.do(chromedp.Navigate(page + "?to=%3Cimg%20src=x%20onerror=window.pwned=1%3E"))
	b.await(`!document.querySelector("#nothing").hidden`)
	b.want(`typeof window.pwned`, "undefined")
}

func phoneWidth(t *testing.T, ctx context.Context) {
	b, in, _ := openSamples(t, ctx, Options{}, 390, 844)
	const visible = `["nav", "main"].filter((s) => document.querySelector(s).checkVisibility()).join(" ")`
	b.want(visible, "nav")
	for i, m := range samples() {
		b.click(fmt.Sprintf(`#rows li:nth-child(%d) .row`, 5-i))
		b.await(fmt.Sprintf(`%s === %q`, shownTo, m.To))
		b.want(visible, "main")
		b.want(`String(document.querySelector("main").scrollWidth <= innerWidth)`, "true")
		b.click(`.back`)
		b.await(visible + ` === "nav"`)
	}
	// The browser's own way back does the same.
	b.click(`#rows li:nth-child(1) .row`)
	b.await(visible + ` === "main"`)
	b.do(chromedp.NavigateBack())
	b.await(visible + ` === "nav"`)
	// The list does not give way to what arrives.
	send(t, in, sampleCall())
	b.await(rowCount + ` === 6`)
	b.want(visible, "nav")
	b.want(`String(document.documentElement.scrollWidth <= innerWidth)`, "true")
	b.wantNoComplaints()
}

// dim are the texts whose contrast with their ground is below WCAG AA: 4.5, or 3 for large text.
// A canvas lays the grounds over one another, whatever way a colour is written.
const dim = `(() => {
	const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const paint = (colour) => { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); };
	const luminance = () => {
		const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((v) => {
			v /= 255;
			return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const found = new Set();
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const element = texts.currentNode.parentElement;
		if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest(".unseen, :disabled, noscript")) continue;
		const style = getComputedStyle(element);
		const above = [];
		for (let e = element; e; e = e.parentElement) above.unshift(getComputedStyle(e).backgroundColor);
		above.forEach(paint);
		const ground = luminance();
		paint(style.color);
		const ink = luminance();
		const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
		const size = parseFloat(style.fontSize);
		const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
		if (ratio < (large ? 3 : 4.5)) found.add(element.className + " “" + texts.currentNode.data + "” " + ratio.toFixed(2));
	}
	return [...found].join("\n");
})()`

func contrastIsEnough(t *testing.T, ctx context.Context) {
	st := newStates()
	for i, s := range []string{"approved", "expired", "failed", "max_attempts_reached", "pending"} {
		st.set(sampleSID("VE", i+1), s)
	}
	b, in, _ := openSamples(t, ctx, Options{State: st.get, Hint: "curl"}, 1280, 800)
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		for _, m := range samples() {
			b.click(fmt.Sprintf(`#rows li:nth-child(%d) .row`, map[string]int{"sms": 5, "call": 4, "email": 3, "whatsapp": 2, "rcs": 1}[m.Channel]))
			b.await(fmt.Sprintf(`%s === %q`, shownTo, m.To))
			if got := eval[string](b, dim); got != "" {
				t.Errorf("%s, %s: too faint:\n%s", scheme, m.Channel, got)
			}
		}
		b.press("?")
		b.await(`document.querySelector("#help").open`)
		if got := eval[string](b, dim); got != "" {
			t.Errorf("%s, help: too faint:\n%s", scheme, got)
		}
		b.press(kb.Escape)
	}
	b.press(kb.Escape)
	in.Clear()
	b.await(`document.body.dataset.view === "empty"`)
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		if got := eval[string](b, dim); got != "" {
			t.Errorf("%s, empty: too faint:\n%s", scheme, got)
		}
	}
}

// pictures shows a morning's messages; docs/images/inbox.png is one of these.
func pictures(t *testing.T, ctx context.Context) {
	st := newStates()
	for i, s := range []string{"pending", "approved", "approved", "max_attempts_reached", "pending"} {
		st.set(sampleSID("VE", i+1), s)
	}
	c := &clock{}
	in := New(Options{Now: c.now, State: st.get, Hint: "curl -u $ACCOUNT:$TOKEN http://localhost:8080/v2/Services/$SERVICE/Verifications \\\n  --data-urlencode To=+34612345678 -d Channel=sms"})
	page, _ := serve(t, in)
	b := openTab(t, ctx, 1280, 800)
	b.prefer("light")
	b.do(chromedp.Navigate(page))
	b.await(`document.body.dataset.view === "empty"`)
	b.shoot("empty-light")
	for _, m := range []struct {
		provider.Message
		age time.Duration
	}{
		{sampleEmail(), 34 * time.Minute}, {sampleWhatsApp(), 16 * time.Minute}, {sampleRCS(), 7 * time.Minute},
		{sampleCall(), 3 * time.Minute}, {sampleSMS(), 20 * time.Second},
	} {
		c.t = time.Now().Add(-m.age)
		m.Deadline = c.t.Add(10 * time.Minute)
		send(t, in, m.Message)
	}
	b.await(rowCount + ` === 5`)
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		for i, channel := range []string{"sms", "call", "rcs", "whatsapp", "email"} {
			b.click(fmt.Sprintf(`#rows li:nth-child(%d) .row`, i+1))
			b.await(fmt.Sprintf(`document.querySelector(".stage")?.dataset.channel === %q`, channel))
			if channel == "email" {
				b.frame("/html").await(`document.querySelector(".code") !== null`)
			}
			b.shoot(channel + "-" + scheme)
		}
		b.press(kb.Escape)
		b.await(`location.hash === ""`)
		b.shoot("desktop-" + scheme)
	}
	b.press("?")
	b.await(`document.querySelector("#help").open`)
	b.shoot("help-dark")
	b.press(kb.Escape)

	b.do(chromedp.EmulateViewport(390, 844))
	b.prefer("light")
	b.shoot("phone-list")
	for i, channel := range []string{"sms", "call", "rcs", "whatsapp", "email"} {
		b.click(fmt.Sprintf(`#rows li:nth-child(%d) .row`, i+1))
		b.await(fmt.Sprintf(`document.querySelector(".stage")?.dataset.channel === %q`, channel))
		b.shoot("phone-" + channel)
		b.click(`.back`)
	}
	b.wantNoComplaints()
}
