package fakecarrier

import (
	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/smsc"
	"github.com/verifyd/verifyd/internal/smpp"
)

// newSMSC is a message centre whose fates are the desk's.
func (c *Carrier) newSMSC() *smsc.Server {
	return smsc.New(smsc.Config{
		Accounts: map[string]string{systemID: smppPassword},
		Fates:    map[string]smsc.Fate{},
		ID:       func(uint64) (answered, receipted string) { id := c.desk.NewID(); return id, id },
		Decide:   c.decideSMS,
		Arrived: func(m smsc.Message) {
			c.desk.Keep(desk.Message{ID: m.IDs[0], Provider: smsc.Name, To: "+" + m.To, From: m.From, Text: m.Text, Arrived: true})
		},
		Log: c.log,
	})
}

// statuses are what refuses a message.
var statuses = map[desk.Answer]smpp.Status{
	desk.BadRecipient: smpp.InvalidDestination, desk.BadRequest: smpp.InvalidSource,
	desk.Throttled: smpp.Throttled, desk.Temporary: smpp.SystemError,
}

// outcomes are what a receipt says.
var outcomes = map[desk.State]smsc.Outcome{
	desk.Sent: {State: "ENROUTE"}, desk.Delivered: {State: "DELIVRD"}, desk.Failed: {State: "EXPIRED", Err: "027"}, desk.NoSuch: {State: "UNDELIV", Err: "001"},
}

// decideSMS is what becomes of a message, or of one part of it. What does not go the usual way is noted here.
func (c *Carrier) decideSMS(m *smpp.ShortMessage) smsc.Fate {
	to := "+" + m.Destination.Addr
	plan := c.desk.Meet(smsc.Name, to)
	usual := plan.Answer == desk.Accepted && plan.Arrives
	f := smsc.Fate{
		Status: statuses[plan.Answer], Delay: plan.Latency, Lost: !usual, Taken: plan.Arrives,
		Silent: plan.Answer == desk.Silent,
		// No status means "perhaps".
		Drop:         plan.Answer == desk.Dropped || plan.Answer == desk.Unknown,
		NoReceipt:    len(plan.Reports) == 0,
		ReceiptFirst: plan.ReportFirst, ReceiptDelay: plan.ReportAfter,
	}
	for _, s := range plan.Reports {
		f.Outcomes = append(f.Outcomes, outcomes[s])
	}
	if !usual {
		c.desk.Keep(desk.Message{
			Provider: smsc.Name, To: to, From: m.Source.Addr, Text: smsc.Text(m), Answer: plan.Answer, Arrived: plan.Arrives,
		})
	}
	return f
}
