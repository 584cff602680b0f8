package smpp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/provider"
)

func TestConfigurations(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(notPEM, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, ca := certificate(t)
	for _, c := range []struct{ name, config, problem string }{
		{"the least", `"host":"h","system_id":"v"`, ""},
		{"all", `"host":"smsc.example.com","port":8887,"tls":"implicit","ca_file":"` + ca + `","system_id":"v","password":"hunter2-hunter2",` +
			`"system_type":"SMPP","mode":"split","binds":2,"window":50,"tps":30.5,"enquire_link":"30s","response_timeout":"20s","max_wait":"2s",` +
			`"from":"Acme","source_ton":5,"source_npi":0,"service_type":"OTP","priority":3,"receipts":false,"validity":"absolute","alphabet":"latin1",` +
			`"latin1":true,"long":"sar","message_id":"hex_to_dec","time_zone":"UTC","status":{"0x410":"throttled"},` +
			`"tlv":[{"tag":"0x1400","type":"cstring","value":"1101"}]`, ""},
		{"through a tunnel", `"host":"10.8.0.1","tls":"none","system_id":"v"`, ""},
		{"no host", `"system_id":"v"`, "host is missing"},
		{"a port in the host", `"host":"h:2775","system_id":"v"`, `host "h:2775"`},
		{"a URL", `"host":"smpp://h","system_id":"v"`, `host "smpp://h"`},
		{"no such mode of TLS", `"host":"h","tls":"starttls","system_id":"v"`, `tls "starttls" is none of implicit, none`},
		{"an authority without TLS", `"host":"h","tls":"none","ca_file":"x","system_id":"v"`, "ca_file is set"},
		{"no such file", `"host":"h","ca_file":"/nonexistent","system_id":"v"`, "ca_file: open /nonexistent"},
		{"no such certificate", `"host":"h","ca_file":"` + notPEM + `","system_id":"v"`, "holds no certificate"},
		{"a port too far", `"host":"h","port":65536,"system_id":"v"`, "port 65536"},
		{"no account", `"host":"h"`, "system_id is missing"},
		{"a long account", `"host":"h","system_id":"sixteen-letters!"`, "system_id is too long"},
		{"a long password", `"host":"h","system_id":"v","password":"` + strings.Repeat("hunter2", 10) + `"`, "password is too long"},
		{"a zero octet", `"host":"h","system_id":"v","password":"hunter2\u0000"`, "password holds a zero octet"},
		{"a long type", `"host":"h","system_id":"v","system_type":"thirteen-char"`, "system_type is too long"},
		{"no such mode", `"host":"h","system_id":"v","mode":"receiver"`, `mode "receiver" is none of transceiver, split`},
		{"too many binds", `"host":"h","system_id":"v","binds":33`, "binds 33"},
		{"too wide a window", `"host":"h","system_id":"v","window":1001`, "window 1001"},
		{"a negative pace", `"host":"h","system_id":"v","tps":-1`, "tps -1"},
		{"hardly a pace", `"host":"h","system_id":"v","tps":0.001`, "tps 0.001"},
		{"a bare number", `"host":"h","system_id":"v","enquire_link":"15"`, `enquire_link "15" is not a duration like "15s"`},
		{"no time at all", `"host":"h","system_id":"v","max_wait":"0s"`, `max_wait "0s" is not a duration like "500ms"`},
		{"less than no time", `"host":"h","system_id":"v","response_timeout":"-1s"`, `response_timeout "-1s"`},
		{"a long sender", `"host":"h","system_id":"v","from":"Acme Corporation"`, `from "Acme Corporation" is neither`},
		{"no such type", `"host":"h","system_id":"v","source_ton":256`, "source_ton 256"},
		{"no such plan", `"host":"h","system_id":"v","source_npi":-1`, "source_npi -1"},
		{"no such priority", `"host":"h","system_id":"v","priority":4`, "priority 4"},
		{"no such validity", `"host":"h","system_id":"v","validity":"short"`, `validity "short"`},
		{"no such alphabet", `"host":"h","system_id":"v","alphabet":"utf8"`, `alphabet "utf8"`},
		{"no such way", `"host":"h","system_id":"v","long":"cut"`, `long "cut" is none of udh, sar, payload`},
		{"no such form", `"host":"h","system_id":"v","message_id":"hex"`, `message_id "hex"`},
		{"no such zone", `"host":"h","system_id":"v","time_zone":"Madrid"`, `time_zone "Madrid" is not known`},
		{"no such status", `"host":"h","system_id":"v","status":{"throttled":"0x58"}`, `status "throttled" is not a number`},
		{"a status that is none", `"host":"h","system_id":"v","status":{"0":"throttled"}`, `status "0" is not a number`},
		{"no such class", `"host":"h","system_id":"v","status":{"0x58":"slow"}`, `status 0x58: "slow" is none of`},
		{"a long service type", `"host":"h","system_id":"v","service_type":"sixsix"`, "service_type is too long"},
		{"no such tag", `"host":"h","system_id":"v","tlv":[{"tag":"0x14000"}]`, `tlv 1: tag "0x14000"`},
		{"no such kind", `"host":"h","system_id":"v","tlv":[{"tag":"0x1400","type":"text"}]`, `tlv 1: type "text"`},
		{"not hexadecimal", `"host":"h","system_id":"v","tlv":[{"tag":"0x1400","value":"1"},{"tag":"1","type":"hex","value":"hunter2"}]`, "tlv 2: value is not hexadecimal"},
		{"not a number", `"host":"h","system_id":"v","tlv":[{"tag":"1","type":"uint8","value":"256"}]`, "tlv 1: value is not a number of 8 bits"},
		{"a misspelt key", `"host":"h","sytem_id":"v"`, `unknown field "sytem_id"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := provider.Build(New)(json.RawMessage("{"+c.config+"}"), provider.Deps{})
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\r\n")) {
				t.Errorf("the error is not fit to print: %q", err)
			}
		})
	}
}

func TestPortsFollowTLS(t *testing.T) {
	for mode, want := range map[string]string{"": "h:3550", "implicit": "h:3550", "none": "h:2775"} {
		s, err := Config{Host: "h", TLS: mode, SystemID: "v"}.settings()
		if err != nil || s.address != want || (s.tls == nil) != (mode == "none") {
			t.Errorf("tls %q: got %+v, %v, want %s", mode, s, err, want)
		}
	}
}
