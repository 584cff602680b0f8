package verify

type webhookTx interface {
	Webhook(sid string) (*Webhook, error)
	// Webhooks lists the webhooks of a service, newest first.
	Webhooks(serviceSID string, page Page) ([]Webhook, error)
	PutWebhook(*Webhook)
	// DeleteWebhook removes a webhook. Its deliveries stay.
	DeleteWebhook(sid string)

	EventDelivery(sid string) (*EventDelivery, error)
	// EventDeliveries lists deliveries of an account, newest first.
	EventDeliveries(EventQuery, Page) ([]EventDelivery, error)
	AddEventDelivery(*EventDelivery)
	// PutEventDelivery writes what a try changes.
	PutEventDelivery(*EventDelivery)
}
