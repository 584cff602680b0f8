package smsc

import (
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
)

func TestReceiptsWaitAndComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts()})
		defer s.Close()
		sender := dial(t, s)
		sender.bind(smpp.BindTransmitter)
		const n = receiptWindow + 5
		for range n {
			sender.ask(smpp.SubmitSM, short("00"))
		}
		// Nobody was there to take them. This one takes as many as the window holds and goes.
		first := dial(t, s)
		first.bind(smpp.BindReceiver)
		for range receiptWindow {
			first.read()
		}
		first.conn.Close()
		synctest.Wait()

		second := dial(t, s)
		second.bind(smpp.BindReceiver)
		seen := map[string]bool{}
		for range n {
			p := second.read()
			seen[string(p.Body.(*smpp.ShortMessage).Text)] = true
			second.write(p.Response(smpp.OK, &smpp.MessageResp{}))
		}
		if len(seen) != n {
			t.Errorf("%d of %d receipts came", len(seen), n)
		}
		// What is refused comes again, until it was too often.
		sender.ask(smpp.SubmitSM, short("00"))
		for range receiptTries {
			p := second.read()
			second.write(p.Response(smpp.TemporaryAppError, &smpp.MessageResp{}))
		}
		time.Sleep(time.Minute)
		if p := second.ask(smpp.EnquireLink, nil); p.Command != smpp.EnquireLinkResp {
			t.Errorf("once more: %+v", p)
		}
		if c := s.Counts(); c.ReceiptsTaken != n {
			t.Errorf("%+v", c)
		}
		sender.conn.Close()
		second.conn.Close()
	})
}

func TestDeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Accounts: accounts(), Fates: map[string]Fate{
			"01": {Drop: true}, "02": {Drop: true, Taken: true}, "03": {Silent: true, Taken: true}, "04": {Lost: true},
			"05": {Nack: true, Status: smpp.Throttled}, "06": {Congestion: 90}, "07": {Status: smpp.SystemError, Words: "no"},
		}})
		defer s.Close()
		for _, suffix := range []string{"01", "02"} {
			k := dial(t, s)
			k.bind(smpp.BindTransmitter)
			k.request(smpp.SubmitSM, short(suffix))
			k.mustEnd()
		}
		k := dial(t, s)
		k.bind(smpp.BindTransmitter)
		k.request(smpp.SubmitSM, short("03"))
		if p := k.ask(smpp.SubmitSM, short("04")); p.Status != smpp.OK {
			t.Errorf("…04: %+v", p)
		}
		if p := k.ask(smpp.SubmitSM, short("05")); p.Command != smpp.GenericNack || p.Status != smpp.Throttled {
			t.Errorf("…05: %+v", p)
		}
		if p := k.ask(smpp.SubmitSM, short("06")); !reflect.DeepEqual(p.Body.(*smpp.MessageResp).TLVs, smpp.TLVs{{Tag: smpp.TagCongestion, Value: []byte{90}}}) {
			t.Errorf("…06: %+v", p.Body)
		}
		if p := k.ask(smpp.SubmitSM, short("07")); p.Status != smpp.SystemError || p.Body.(*smpp.MessageResp).TLVs.Text(smpp.TagAdditionalStatusInfo) != "no" {
			t.Errorf("…07: %+v", p.Body)
		}
		var got []string
		for _, m := range s.Messages("") {
			got = append(got, m.To[len(m.To)-2:])
		}
		if fmt.Sprint(got) != "[02 03 06]" {
			t.Errorf("there are messages for %v", got)
		}
		if n := len(s.Messages("+34612345602")); n != 1 {
			t.Errorf("%d messages for one number", n)
		}
		k.conn.Close()
	})
}
