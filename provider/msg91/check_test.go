package msg91

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
	"github.com/verifyd/verifyd/provider/providertest/httpfar"
)

var desk = httpfar.Desk{
	Asks:   "GET /api/balance.php?authkey=" + testKey + "&type=4",
	Answer: "1042",
	Refuse: func(w http.ResponseWriter, words string) {
		fmt.Fprintf(w, `{"message":%q,"type":"error"}`, words) // 200
	},
}

func atDesk(url string, deps provider.Deps) (provider.Provider, error) {
	return New(Config{AuthKey: testKey, TemplateID: "T1", BaseURL: url, Timeout: "2m"}, deps)
}

func TestCheckExam(t *testing.T) {
	providertest.RunCheck(t, providertest.Checkup{Secrets: []string{testKey}, Start: desk.Start(atDesk)})
}

func TestWhatTheAnswersToACheckMean(t *testing.T) {
	httpfar.CheckWords(t, atDesk, []httpfar.Said{
		{Status: 200, Body: "1042.50\n"},
		{Status: 200, Body: `"0"`},
		{Status: 200, Body: `{"msg":"Authentication failure","msgType":"error"}`, Want: "Authentication failure"},
		{Status: 200, Body: ``, Want: "it answers:"},
		{Status: 418, Body: `no`, Want: "it answers 418: no"},
	})
}

func TestTheManualNamesEveryKey(t *testing.T) {
	providertest.ReadManual(t, "msg91").NamesKeys(Config{})
}
