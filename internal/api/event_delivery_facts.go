package api

import "github.com/verifyd/verifyd/internal/verify"

func deliveryFacts() Resource {
	const (
		deliveries = "/v2/Verifyd/Deliveries"
		delivery   = deliveries + "/{Sid}"
	)
	states := words(verify.EventStates())
	return Resource{
		Name:  "Deliveries",
		About: "A delivery is what a webhook, or the sink of events, was told, and what it answered.",
		Operations: []Operation{
			{Method: "GET", Path: deliveries, ID: "ListDelivery", About: "Lists the deliveries of the account, newest first.", From: Ours, Params: deliveryFilters{}, Facts: []Fact{
				{Name: "WebhookSid", About: "Those to this webhook.", From: Ours, SID: "YW"},
				{Name: "Status", About: "Those in this state.", From: Ours, Enum: states},
			}, Paged: true, Status: 200, Body: deliveryList{}, Codes: ofList()},
			{Method: "GET", Path: delivery, ID: "FetchDelivery", About: "Fetches a delivery.", From: Ours, Status: 200, Body: deliveryBody{}, Codes: []verify.Code{verify.CodeNotFound}},
			{Method: "POST", Path: delivery + "/Resend", ID: "ResendDelivery", About: "Delivers an event again, or now.", From: Ours, Status: 202, Body: deliveryBody{}, Codes: []verify.Code{verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Delivery", About: "An event on its way.", Body: deliveryBody{}, Facts: []Fact{
				{Name: "sid", About: "The delivery.", From: Ours, SID: "ED"},
				{Name: "webhook_sid", About: "The webhook; null for the sink of events.", From: Ours, SID: "YW"},
				{Name: "event_type", About: "The event.", From: Ours, Example: "factor.created"},
				{Name: "uuid", About: "The name of the event for its receiver, the same for every try.", From: Ours},
				{Name: "status", About: "Its state.", From: Ours, Enum: states},
				{Name: "tries", About: "What came of each try, oldest first.", From: Ours},
				{Name: "tries.date", About: "When, in UTC.", From: Ours, Format: "date-time"},
				{Name: "tries.milliseconds", About: "How long it took.", From: Ours},
				{Name: "tries.code", About: "The HTTP status; null if there was no answer.", From: Ours},
				{Name: "tries.error", About: "What went wrong.", From: Ours},
			}},
			{Name: "DeliveryList", About: "A page of deliveries.", Body: deliveryList{}, Facts: listFacts("deliveries", "The deliveries.")},
		},
	}
}
