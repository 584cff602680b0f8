//go:build full

package inbox

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A person registers a handset, sees a challenge come in, and answers with one click.
func TestThePageOfHandsets(t *testing.T) {
	s := &someHandsets{}
	in := New(Options{Handsets: s})
	page, _ := serve(t, in)
	b := openTab(t, startBrowser(t), 1000, 760)
	b.do(chromedp.Navigate(page + "/handsets"))
	b.await(`!document.querySelector("#none").hidden`)

	eval[bool](b, `document.querySelector("#identity").value = "user-7f3a91c2", document.querySelector("#name").value = "Ann's <b>phone", true`)
	b.click(`#register button`)
	b.await(`document.querySelectorAll(".handset").length === 1`)
	b.want(`document.querySelector(".handset h2").textContent`, "Ann's <b>phone")
	b.want(`document.querySelector(".idle").textContent`, "Nothing to answer")

	s.ask("YC1", "Log in from Zürich?")
	send(t, in, samplePush()) // the page looks at once
	b.await(`document.querySelectorAll(".question").length === 1`)
	b.want(`document.querySelector(".question .message").textContent`, "Log in from Zürich?")
	b.want(`document.querySelector(".question dd").textContent`, "Zürich <b>")
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		if got := eval[string](b, dim); got != "" {
			t.Errorf("%s: too faint:\n%s", scheme, got)
		}
		b.shoot("handsets-" + scheme)
	}
	b.click(`.approve`)
	b.await(`document.querySelector(".question").dataset.status === "approved"`)

	s.ask("YC2", "Send 500 EUR?") // of an application that asks: the page finds it by itself
	b.await(`document.querySelectorAll(".question").length === 2`)
	b.click(`[data-sid="YC2"] .deny`)
	b.await(`document.querySelector('[data-sid="YC2"]').dataset.status === "denied"`)
	b.click(`.remove`)
	b.await(`!document.querySelector("#none").hidden`)

	// In the inbox the notification stands as on a locked screen, and leads back here.
	b.do(chromedp.Navigate(page))
	b.await(rowCount + ` === 1`)
	b.await(`document.querySelector(".stage")?.dataset.channel === "push"`)
	b.want(`document.querySelector(".push .bubble").textContent`, "Log in from Zürich?")
	b.want(`document.querySelector(".push .answer a").getAttribute("href")`, "/dev/inbox/handsets")
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		if got := eval[string](b, dim); got != "" {
			t.Errorf("the notification, %s: too faint:\n%s", scheme, got)
		}
		b.shoot("push-" + scheme)
	}
	b.wantNoComplaints()
}
