//go:build full

package main

import (
	"os"
	"testing"

	"github.com/verifyd/verifyd/internal/config"
)

// Every command of the manual is run as it stands there, and its configuration is read.
func TestTheCommandsOfThePushManual(t *testing.T) {
	p := dev(t, t.TempDir())
	runManual(t, "push.md", 8, "ACCOUNT="+p.said("account SID")+" TOKEN="+p.said("auth token")+" DEV="+p.base+
		"\nV2="+p.base+"/v2/Services/"+p.said("service SID")+"\n")
	text, err := os.ReadFile("../../docs/push.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := tomlBlock.FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 1 {
		t.Fatalf("the manual has %d configurations, want 1", len(blocks))
	}
	secret := func(name string) (string, bool) { return "0123456789abcdef0123456789abcdef", name == "GATEWAY_SECRET" }
	if _, err := config.Parse([]byte(blocks[0][1]), secret); err != nil {
		t.Error(err)
	}
}
