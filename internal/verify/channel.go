package verify

// Channel is how a person is reached.
type Channel string

// The channels that carry a code. Twilio's "sna" and "auto" are answered as on an account that
// does not have them.
const (
	SMS      Channel = "sms"
	Call     Channel = "call"
	Email    Channel = "email"
	WhatsApp Channel = "whatsapp"
	RCS      Channel = "rcs"
)

// Channels lists them in the order in which people meet them.
func Channels() []Channel { return []Channel{SMS, Call, Email, WhatsApp, RCS} }

// AttemptName is the channel's name in the Attempts API, which calls RCS by the name that it had as
// RCS Business Messaging.
func (c Channel) AttemptName() string {
	if c == RCS {
		return "rbm"
	}
	return string(c)
}

// channelRules is what differs between channels, one row each.
var channelRules = map[Channel]struct {
	// unavailable is the error of a start when no route carries the channel.
	unavailable Error
}{
	SMS:      {Error{Code: CodeChannelDisabled}},
	Call:     {Error{Code: CodeChannelDisabled}},
	Email:    {Error{Code: CodeNoMailer}},
	WhatsApp: {Error{Code: CodeWhatsAppNotEnabled}},
	RCS:      {Error{Code: CodeInvalidParameter, Param: "Channel"}},
}
