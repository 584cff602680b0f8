package sip

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

func TestConfigurationsAreGoodOrSayWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	const least = `"server":"sip.example.com","from":"+34910000000"`
	for _, c := range []struct{ name, config, problem string }{
		{"the least", `{` + least + `}`, ""},
		{"all", `{` + least + `,"transport":"tcp","domain":"example.com","username":"u-1","password":"hunter2","register":true,` +
			`"asserted_identity":true,"without_plus":true,"listen":"192.0.2.1:5080","public_address":"198.51.100.1","rtp_ports":"20000-20099",` +
			`"max_calls":100,"ring_timeout":"20s","recordings":"` + dir + `","speech_command":["espeak-ng","-v","{voice}"],"speech_voices":{"zh":"cmn-latn-pinyin"}}`, ""},
		{"IPv6", `{"server":"[2001:db8::1]:5070","from":"34910000000","listen":"[::]:5060"}`, ""},
		{"no server", `{"from":"+34910000000"}`, "server is missing"},
		{"a URL", `{"server":"sip:example.com:5060","from":"+34910000000"}`, `server "sip:example.com:5060"`},
		{"a port too far", `{"server":"h:65536","from":"+34910000000"}`, `server "h:65536"`},
		{"no sender", `{"server":"h"}`, "from is missing"},
		{"a word for a sender", `{"server":"h","from":"Acme"}`, `from "Acme" is not a number`},
		{"a sender with more", `{"server":"h","from":"+34910000000>;x"}`, "is not a number"},
		{"another transport", `{` + least + `,"transport":"ws"}`, `transport "ws" is none of`},
		{"no password", `{` + least + `,"username":"u"}`, "password is missing"},
		{"a password for nobody", `{` + least + `,"password":"hunter2"}`, "username is missing"},
		{"a user with more", `{` + least + `,"username":"a@b\r\n","password":"hunter2"}`, "username holds"},
		{"registered as nobody", `{` + least + `,"register":true}`, "username is missing"},
		{"a domain with more", `{` + least + `,"domain":"a b"}`, `domain "a b"`},
		{"a name to listen at", `{` + least + `,"listen":"localhost:5060"}`, `listen "localhost:5060"`},
		{"a name for us", `{` + least + `,"public_address":"me.example"}`, `public_address "me.example"`},
		{"half a range", `{` + least + `,"rtp_ports":"20000"}`, `rtp_ports "20000"`},
		{"a range backwards", `{` + least + `,"rtp_ports":"20001-20000"}`, "rtp_ports"},
		{"no room", `{` + least + `,"rtp_ports":"20000-20009","max_calls":11}`, "has room for 10 calls"},
		{"less than no calls", `{` + least + `,"max_calls":-1}`, "max_calls -1"},
		{"a bare number", `{` + least + `,"ring_timeout":"30"}`, `ring_timeout "30"`},
		{"no folder", `{` + least + `,"recordings":"/nonexistent"}`, "recordings: /nonexistent"},
		{"authorities for udp", `{` + least + `,"ca_file":"x"}`, "ca_file is for tls"},
		{"no authorities", `{` + least + `,"transport":"tls","ca_file":"/nonexistent"}`, "ca_file: open /nonexistent"},
		{"no program", `{` + least + `,"speech_command":[""]}`, "speech_command has no program"},
		{"voices of no program", `{` + least + `,"speech_voices":{"zh":"cmn"}}`, "speech_command is missing"},
		{"a misspelt key", `{` + least + `,"sever":"h"}`, `unknown field "sever"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := provider.Build(New)(json.RawMessage(c.config), provider.Deps{})
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\r\n")) {
				t.Errorf("the error is not fit to print: %q", err)
			}
		})
	}
}
