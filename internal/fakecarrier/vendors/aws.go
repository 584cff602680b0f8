package vendors

import (
	"net/http"
	"strings"

	"github.com/verifyd/verifyd/internal/fakecarrier/desk"
	"github.com/verifyd/verifyd/internal/fakecarrier/sigv4"
)

// AWSAccount is who may send by AWS.
type AWSAccount struct{ Region, KeyID, Secret string }

// AWS is End User Messaging (SendTextMessage of the API PinpointSMSVoiceV2). It never reports: events come
// by SNS, which proves them by a certificate that is fetched from AWS's own host and nowhere else.
func AWS(a AWSAccount) API {
	api := API{
		Name: "aws",
		Table: func(base string) [][2]string {
			return [][2]string{{"region", a.Region}, {"access_key_id", a.KeyID}, {"secret_access_key", a.Secret}, {"base_url", base}}
		},
		Refusals: map[desk.Answer]Refusal{
			desk.Temporary: {Status: 503, Code: "ServiceUnavailable"}, desk.Throttled: {Status: 400, Code: "ThrottlingException"},
			desk.Unknown:      {Status: 500, Code: "InternalServerException"},
			desk.BadRecipient: {Status: 400, Code: "ConflictException DESTINATION_PHONE_NUMBER_OPTED_OUT"},
			desk.BadRequest:   {Status: 400, Code: "ValidationException SENDER_ID_NOT_REGISTERED"},
		},
	}
	api.Read = func(r *http.Request, body []byte) (Sent, *Refusal) {
		switch {
		case r.Method != http.MethodPost || r.Header.Get("X-Amz-Target") != "PinpointSMSVoiceV2.SendTextMessage":
			return Sent{}, &Refusal{Status: 404, Code: "UnknownOperationException"}
		case !a.signed(r, body):
			return Sent{}, &Refusal{Status: 403, Code: "InvalidSignatureException", Words: "The request signature we calculated does not match the signature you provided."}
		}
		var m struct {
			DestinationPhoneNumber string
			OriginationIdentity    string
			MessageBody            string
			MessageType            string
			ConfigurationSetName   string
			TimeToLive             int
			Context                map[string]string
		}
		switch {
		case !strict(body, &m) || r.Header.Get("Content-Type") != "application/x-amz-json-1.0":
			return Sent{}, &Refusal{Status: 400, Code: "SerializationException"}
		case m.MessageType != "TRANSACTIONAL" && m.MessageType != "PROMOTIONAL", m.TimeToLive < 5 || m.TimeToLive > 259_200:
			return Sent{}, &Refusal{Status: 400, Code: "ValidationException FIELD_VALIDATION_FAILED"}
		case !e164.MatchString(m.DestinationPhoneNumber) || m.MessageBody == "":
			return Sent{}, &Refusal{Status: 400, Code: "ValidationException INVALID_PARAMETER", Content: true}
		}
		return Sent{To: m.DestinationPhoneNumber, From: m.OriginationIdentity, Text: m.MessageBody, Key: m.Context["key"]}, nil
	}
	api.Accept = func(w http.ResponseWriter, _ Sent, id string) { answer(w, 200, object{"MessageId": id}) }
	api.Refuse = func(w http.ResponseWriter, r Refusal) {
		name, reason, _ := strings.Cut(r.Code, " ")
		body := object{"__type": "com.amazonaws.pinpointsmsvoicev2#" + name, "Message": r.Words}
		if reason != "" {
			body["Reason"] = reason
		}
		answer(w, r.Status, body)
	}
	return api
}

func (a AWSAccount) signed(r *http.Request, body []byte) bool {
	s, err := sigv4.Parse(r.Header)
	return err == nil && s.KeyID == a.KeyID && s.Region == a.Region && s.Service == "sms-voice" && s.SignedBy(a.Secret, r, body)
}
