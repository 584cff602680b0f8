package main

import (
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
)

// arrival sends a message for a number to a message centre, as a carrier's client would.
func arrival(t *testing.T, far *center, number string) {
	t.Helper()
	conn, err := net.Dial("tcp", far.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := smpp.NewReader(conn)
	for i, request := range []smpp.PDU{
		{Command: smpp.BindTransmitter, Body: &smpp.Bind{SystemID: centerAccount, Password: centerPassword, Version: smpp.Version}},
		{Command: smpp.SubmitSM, Body: &smpp.ShortMessage{
			Source: smpp.Address{TON: 5, Addr: "Acme"}, Destination: smpp.Address{TON: 1, NPI: 1, Addr: number}, Text: []byte("123456"),
		}},
	} {
		request.Sequence = uint32(i + 1)
		octets, err := request.Append(nil)
		if err == nil {
			_, err = conn.Write(octets)
		}
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := in.Read(); err != nil || answer.Status != smpp.OK {
			t.Fatalf("%v: %v, %v", request.Command, answer.Status, err)
		}
	}
}

func TestTheLossIsCountedByTheBooksOfTheCarriers(t *testing.T) {
	first, err := newCenter(smsc.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := newCenter(smsc.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	arrival(t, first, "34600000001")
	arrival(t, first, "34600000002")
	arrival(t, second, "34600000002")
	arrival(t, second, "34600000003")

	now := time.Now()
	var f lossFigures
	f.count([]begun{
		{number: 1, at: now, took: 2},
		{number: 2, at: now.Add(-500 * time.Millisecond), took: 2, lost: "silent"},
		{number: 3, at: now.Add(-3 * time.Second), took: 1, lost: "silent"},
		{number: 4, at: now, took: 4, lost: "silent"},
	}, first, second)
	if f.starts != 3 || f.twice != 1 || f.thrice != 0 || f.lost != 1 || math.Abs(f.inTime-1.0/3) > 1e-9 || f.slowest < 2.5 || f.api != 2 {
		t.Errorf("got %+v", f)
	}
	if first.shut(); first.open() != nil {
		t.Error("a door that was shut does not open")
	}
	arrival(t, first, "34600000004")
	f.count([]begun{{number: 4, at: now, lost: "silent"}}, first, second)
	if f.lost != 0 || f.inTime != 1 {
		t.Errorf("what arrived late is lost: %+v", f)
	}
}

func TestTheReportOfCarriersSaysWhatWasMeasured(t *testing.T) {
	var out strings.Builder
	printCarriers(&out, noCarriers())
	if out.Len() > 0 {
		t.Errorf("nothing was measured: %s", &out)
	}
	for _, g := range noCarriers().goals() {
		if !strings.Contains(g.String(), "not measured") {
			t.Error(g)
		}
	}
	found := carriers{sms: 2500, rss: 50, rssSlow: 55, waiting: 7, loss: lossFigures{inTime: 0.995, api: 1.2, back: []float64{1, 7}}}
	printCarriers(&out, found)
	if !strings.Contains(out.String(), "2500 SMS a second") || !strings.Contains(out.String(), "99.50 %") || !strings.Contains(out.String(), "after 7 s at most") {
		t.Errorf("the report is\n%s", &out)
	}
	var reached []bool
	for _, g := range found.goals() {
		reached = append(reached, !strings.Contains(g.String(), "not reached"))
	}
	if len(reached) != 5 || !reached[0] || !reached[1] || !reached[2] || !reached[3] || reached[4] {
		t.Errorf("reached: %v", reached)
	}
}
