package api

func templateFacts() Resource {
	return Resource{
		Name:  "Templates",
		About: "A template is what messages say, in an operator's words.",
		Note:  "Templates are made with `verifyd template` ([templates.md](templates.md)).",
		Operations: []Operation{
			{Method: "GET", Path: "/v2/Templates", ID: "ListVerificationTemplate", About: "Lists the templates of the account, newest first. They are made on the command line.", Note: "the order is ours", From: Spec | Ours,
				Params: templateQuery{}, Facts: []Fact{{Name: "FriendlyName", About: "The one of this name.", Example: "Order pickup"}},
				Paged: true, Status: 200, Body: templateList{}, Codes: ofList()},
		},
		Records: []Record{
			{Name: "Template", Contract: "template", About: "A template. It has neither a URL nor dates.", Body: templateBody{}, Facts: []Fact{
				{Name: "sid", About: "The template.", SID: "HJ"},
				{Name: "friendly_name", About: "Its name in the account.", Example: "Order pickup"},
				{Name: "channels", About: "`sms` and `voice`, as far as it has words for them."},
				{Name: "translations", About: "Its texts by language tag."},
				{Name: "translations.is_default_translation", About: "Whether those read it who read none of the others."},
				{Name: "translations.status", About: "Only what is approved is sent.", Enum: []string{"approved", "pending"}, From: Spec | Ours},
				{Name: "translations.locale", About: "The language tag.", Example: "es"},
				{Name: "translations.text", About: "The text message, or what a call says if there is none.", From: Spec | Ours},
				{Name: "translations.date_updated", About: "To the nanosecond.", Format: "date-time"},
				{Name: "translations.date_created", About: "To the nanosecond.", Format: "date-time"},
			}},
			{Name: "TemplateList", About: "A page of templates.", Body: templateList{}, Facts: listFacts("templates", "The templates.")},
		},
	}
}
