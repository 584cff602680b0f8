package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/verifyd/verifyd/provider"
)

// strangers are the exceptions that speak of the credentials, from "Common Errors" of the API.
var strangers = []string{
	"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
	"ExpiredTokenException", "IncompleteSignatureException", "MissingAuthenticationTokenException",
}

// attributes are the output of DescribeAccountAttributes, or an exception.
type attributes struct {
	All []struct {
		Name, Value string
	} `json:"AccountAttributes"`
	Type    string `json:"__type"`
	Message string `json:"Message"`
}

// Check implements provider.Checker: it calls DescribeAccountAttributes, which also says whether the
// account is still in the sandbox (https://docs.aws.amazon.com/pinpoint/latest/
// apireference_smsvoicev2/API_DescribeAccountAttributes.html).
func (p *Provider) Check(ctx context.Context) error {
	var read attributes
	answer, err := p.sender.CheckJSON(ctx, p.signed("DescribeAccountAttributes", []byte("{}")), "the account", &read)
	if err != nil {
		_ = json.Unmarshal(answer.Body, &read) // what cannot be read says no more than the status
	}
	name := read.Type[strings.LastIndexByte(read.Type, '#')+1:]
	switch {
	case err == nil && slices.ContainsFunc(read.All, func(a struct{ Name, Value string }) bool {
		return a.Name == "ACCOUNT_TIER" && a.Value == "SANDBOX"
	}):
		return provider.Unproven("the credentials are right, and the account is in the sandbox: it sends to verified numbers and to no others")
	case name == "AccessDeniedException":
		return provider.Unproven("the credentials are known, and may not call sms-voice:DescribeAccountAttributes; whether they may send is not known")
	case slices.Contains(strangers, name):
		return fmt.Errorf("the credentials are refused (%s): %s", name, p.sender.Excerpt(read.Message, provider.Message{}))
	}
	return err
}
