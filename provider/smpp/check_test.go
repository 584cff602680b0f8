package smpp

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
	"github.com/verifyd/verifyd/provider/providertest"
)

func TestCheckExam(t *testing.T) { checkExam(t, Config{}) }

func TestCheckExamSplit(t *testing.T) { checkExam(t, Config{Mode: "split", Binds: 2}) }

func checkExam(t *testing.T, c Config) {
	providertest.RunCheck(t, providertest.Checkup{
		Secrets: []string{testPassword, "another1"},
		Start: func(t testing.TB, deps provider.Deps, s providertest.Situation) provider.Provider {
			far := smsc.New(smsc.Config{Accounts: map[string]string{testSystemID: testPassword}, Fates: map[string]smsc.Fate{}})
			t.Cleanup(far.Close)
			c := c
			c.Host, c.SystemID, c.Password = "127.0.0.1", testSystemID, testPassword
			secured, file := certificate(t)
			c.CAFile = file
			switch s {
			case providertest.Stranger:
				c.Password = "another1"
			case providertest.OtherName:
				c.Host = "localhost" // the certificate is for 127.0.0.1
			case providertest.Silence:
				far.Mute(true)
			}
			c.Port = listen(t, far, secured)
			if s == providertest.Nobody {
				far.Close()
			}
			p, err := New(c, deps)
			if err != nil {
				t.Fatal(err)
			}
			return p
		},
	})
}

// TestCheckSaysWhatIsWrong has a carrier that answers every bind with one status.
func TestCheckSaysWhatIsWrong(t *testing.T) {
	for status, want := range map[smpp.Status]string{
		smpp.OK:                "",
		smpp.InvalidPassword:   "bind_transceiver: the password is wrong (ESME_RINVPASWD)",
		smpp.InvalidSystemID:   "the system_id is not known there (ESME_RINVSYSID)",
		smpp.InvalidSystemType: "the system_type is not the one",
		smpp.BindFailed:        "not from this address",
		smpp.InvalidCommandID:  `mode = "split"`,
		smpp.AlreadyBound:      "does a server run with this account?",
		0x410:                  "bind_transceiver refused: 0x410",
	} {
		inWorld(t, Config{}, smsc.Config{}, func(w *world) {
			var heard []smpp.Command
			w.raw = func(conn net.Conn) {
				defer conn.Close()
				in := smpp.NewReader(conn)
				for {
					p, err := in.Read()
					if err != nil {
						return
					}
					heard = append(heard, p.Command)
					answer, err := p.Response(status, nil).Append(nil)
					if p.Command == smpp.BindTransceiver {
						answer, err = p.Response(status, &smpp.BindResp{SystemID: "far"}).Append(nil)
					}
					if err != nil {
						w.Error(err)
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}
			err := w.p.Check(context.Background())
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				w.Errorf("%v: got %v, want %q", status, err, want)
			}
			if errors.Is(err, provider.ErrUnproven) != (status == smpp.AlreadyBound) {
				w.Errorf("%v: unproven is %v", status, err)
			}
			if status == smpp.OK && (len(heard) != 2 || heard[1] != smpp.Unbind) {
				w.Errorf("the carrier heard %v", heard)
			}
		})
	}
}

// TestACheckKeepsReceiptsForTheServer has a carrier that delivers what waited as soon as we bind.
func TestACheckKeepsReceiptsForTheServer(t *testing.T) {
	inWorld(t, Config{}, smsc.Config{}, func(w *world) {
		var answer smpp.PDU
		w.raw = func(conn net.Conn) {
			defer conn.Close()
			in := smpp.NewReader(conn)
			hear := func() smpp.PDU {
				p, err := in.Read()
				if err != nil {
					w.Error(err)
				}
				return p
			}
			say := func(p smpp.PDU) {
				octets, err := p.Append(nil)
				if err == nil {
					_, err = conn.Write(octets)
				}
				if err != nil {
					w.Error(err)
				}
			}
			say(hear().Response(smpp.OK, &smpp.BindResp{SystemID: "far"}))
			unbind := hear()
			say(smpp.PDU{Command: smpp.DeliverSM, Sequence: 7, Body: &smpp.ShortMessage{}})
			answer = hear()
			say(unbind.Response(smpp.OK, nil))
		}
		if err := w.p.Check(context.Background()); err != nil {
			w.Error(err)
		}
		if answer.Command != smpp.DeliverSM|smpp.ResponseBit || answer.Status != smpp.TemporaryAppError {
			w.Errorf("the receipt was answered %v %v", answer.Command, answer.Status)
		}
		if got := w.reported(); len(got) != 0 {
			w.Errorf("the check recorded %v", got)
		}
	})
}
