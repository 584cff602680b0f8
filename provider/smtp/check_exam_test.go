package smtp

import (
	"testing"
	"time"

	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestCheckExamWithSTARTTLS(t *testing.T) { checkExam(t, relayOptions{}, startTLS) }

func TestCheckExamWithImplicitTLS(t *testing.T) {
	checkExam(t, relayOptions{implicit: true}, implicitTLS)
}

func checkExam(t *testing.T, o relayOptions, mode string) {
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{testUser, testPassword, "another-password"},
		Start: func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
			a, o, name := newAuthority(t), o, "127.0.0.1"
			if s == providertest.OtherName {
				name = "mail.example.com"
			}
			o.certificate = a.issue(time.Now().Add(time.Hour), name)
			r := newRelay(t, o)
			switch s {
			case providertest.Nobody:
				r.Behave(providertest.Behaviour{Act: providertest.Leave})
			case providertest.Silence:
				r.Behave(providertest.Behaviour{Act: providertest.Mute})
			}
			c := r.config(a)
			c.TLS = mode
			if s == providertest.Stranger {
				c.Password = "another-password"
			}
			return mustNew(t, c, deps)
		},
	})
}
