package api

import "github.com/verifyd/verifyd/internal/verify"

func webhookFacts() Resource {
	const (
		webhooks = "/v2/Services/{ServiceSid}/Webhooks"
		webhook  = webhooks + "/{Sid}"
	)
	statuses := []string{string(verify.WebhookEnabled), string(verify.WebhookDisabled)}
	versions := []string{string(verify.WebhookV1), string(verify.WebhookV2)}
	params := []Fact{
		{Name: "FriendlyName", About: "A name for people.", Required: true, Range: verify.WebhookNames, From: Spec | Ours, Example: "Audit"},
		{Name: "EventTypes", About: "The events that it is told of, or `*`: the parameter repeated, or one JSON array.", Note: "the array is ours", Required: true, From: Spec | Docs | Ours, Example: []any{"factor.created"}},
		{Name: "WebhookUrl", About: "Where the events go, `http` or `https`; without user, password or fragment.", Required: true, From: Spec | Ours, Example: "https://example.com/verify"},
		{Name: "Status", About: "Whether it is told of anything, in any case of letters; by default it is.", Enum: statuses},
		{Name: "Version", About: "What it is told, in any case of letters; by default `v2`.", From: Spec | Docs, Enum: versions},
	}
	return Resource{
		Name:  "Webhooks",
		About: "A webhook is told what becomes of a service's factors and challenges.",
		Note: "Calls are forms, or JSON where the server says so, signed as Twilio signs its own (the reference does not\n" +
			"say which; ours). Tries, times and order:\n" +
			"[webhooks.md](webhooks.md) (ours). A service has at most 20 (ours).",
		Operations: []Operation{
			{Method: "POST", Path: webhooks, ID: "CreateWebhook", About: "Makes a webhook. Nothing is called then.", Params: webhookParams{}, Facts: params, Status: 201, Body: webhookBody{}, Codes: ofFactors(verify.CodeMissingParameter)},
			{Method: "GET", Path: webhooks, ID: "ListWebhook", About: "Lists the webhooks of a service, newest first.", Note: "the order is ours", From: Spec | Ours, Paged: true, Status: 200, Body: webhookList{}, Codes: ofFactorsList()},
			{Method: "GET", Path: webhook, ID: "FetchWebhook", About: "Fetches a webhook.", Status: 200, Body: webhookBody{}, Codes: []verify.Code{verify.CodeNotFound}},
			{Method: "POST", Path: webhook, ID: "UpdateWebhook", About: "Changes a webhook. Its event types are replaced as a whole.", Note: "that they are is ours", From: Spec | Ours, Params: webhookParams{}, Facts: params, Partial: true, Status: 200, Body: webhookBody{}, Codes: ofFactors()},
			{Method: "DELETE", Path: webhook, ID: "DeleteWebhook", About: "Removes a webhook.", Status: 204, Codes: []verify.Code{verify.CodeNotFound}},
		},
		Records: []Record{
			{Name: "Webhook", Contract: "webhook", About: "Who is told.", Body: webhookBody{}, Facts: []Fact{
				{Name: "sid", About: "The webhook.", SID: "YW"},
				{Name: "friendly_name", About: "A name for people.", Example: "Audit"},
				{Name: "event_types", About: "The events that it is told of."},
				{Name: "webhook_method", About: "Always `POST`.", Enum: []string{"POST"}},
				{Name: "webhook_url", About: "Where the events go.", Format: "uri", Example: "https://example.com/verify"},
				{Name: "status", About: "Whether it is told of anything.", Enum: statuses},
				{Name: "version", About: "What it is told.", Enum: versions},
			}},
			{Name: "WebhookList", About: "A page of webhooks.", Body: webhookList{}, Facts: listFacts("webhooks", "The webhooks.")},
		},
	}
}
