package verify

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/verifyd/verifyd/internal/jsonparam"
	"github.com/verifyd/verifyd/internal/mailaddr"
	"github.com/verifyd/verifyd/internal/message"
	"github.com/verifyd/verifyd/internal/otp"
	"github.com/verifyd/verifyd/internal/phone"
)

// StartParams are the parameters of a start as they were sent (core reference, section 3.2). Empty
// means "not sent" but for To and Channel, where nil does.
type StartParams struct {
	To                   *string
	Channel              *string
	CustomFriendlyName   string
	CustomMessage        string // deprecated at Twilio: accepted, and the usual text is sent
	SendDigits           string
	Locale               string
	CustomCode           string
	Amount               string
	Payee                string
	RateLimits           string // JSON object
	ChannelConfiguration string // JSON object
	AppHash              string
	TemplateSID          string
	Substitutions        string // TemplateCustomSubstitutions, JSON object
	Templates            string // JSON array
	DeviceIP             string
	EnableSNAClientToken *bool
	RiskCheck            string
	Tags                 string // JSON object
	// ForgiveGuesses is ours: the customer knows by other means who asks, so the wrong codes of this
	// recipient are forgotten, and checks that are spent do not keep a new code from being sent.
	ForgiveGuesses *bool
}

// wish is a start that was found to be in order.
type wish struct {
	StartParams
	channel       Channel
	to, recipient string
	country       string
	amount, payee string
	locale, brand string
	values        map[string]string // of TemplateCustomSubstitutions
	candidates    []candidate       // of TemplateSid and Templates
	options       AttemptOptions
	rateLimits    map[string]string // values by unique name
	sends         sendMeter
	device        int64 // the meter of DeviceIp, 0 if it was not sent
	account       int64 // the meter of the account's guesses, 0 if there is none
	forgive       bool
	blocked       *Error // of the country, nil if it is allowed
	line          *Line  // nil if it was not looked up
}

// read checks the parameters in the order of the core reference, section 15, as far as nothing but
// the service is needed for it.
func (p StartParams) read(s *Service) (*wish, error) {
	if p.To == nil {
		return nil, missing("To")
	}
	if p.Channel == nil {
		return nil, missing("Channel")
	}
	w := &wish{StartParams: p, forgive: p.ForgiveGuesses != nil && *p.ForgiveGuesses}
	for _, step := range []func(*Service) error{
		w.readChannel, w.readTo, w.readMessage, w.readGates, w.readPSD2, w.readTemplates,
	} {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *wish) readChannel(s *Service) error {
	switch c := *w.Channel; c {
	case "sna":
		// As on an account that was not given Silent Network Auth.
		if s.PSD2Enabled {
			return &Error{Code: CodePSD2SNA}
		}
		return &Error{Code: CodeSNANotProvisioned}
	default:
		if _, known := channelRules[Channel(c)]; !known {
			return invalid("Channel")
		}
		w.channel = Channel(c)
		return nil
	}
}

func (w *wish) readTo(*Service) error {
	to, recipient, country, ok := readDestination(w.channel == Email, *w.To)
	if !ok {
		return &Error{Code: CodeInvalidParameter, Param: "To", Value: *w.To}
	}
	w.to, w.recipient, w.country = to, recipient, country
	return nil
}

// readDestination reads an e-mail address or a telephone number.
func readDestination(isMail bool, s string) (to, recipient, country string, ok bool) {
	if isMail {
		to, recipient, ok = mailaddr.Parse(s)
		return to, recipient, "", ok
	}
	n, ok := phone.Parse(restorePlus(s))
	return n.E164(), n.E164(), n.Country(), ok
}

// restorePlus undoes what happens to a number that was put into a form without encoding: its plus
// sign has become a space.
func restorePlus(s string) string {
	s = strings.TrimRight(s, " ")
	if len(s) > 1 && s[0] == ' ' && s[1] != '+' {
		return "+" + strings.TrimLeft(s, " ")
	}
	return s
}

func (w *wish) readMessage(s *Service) error {
	w.brand = s.FriendlyName
	if w.CustomFriendlyName != "" {
		if !validName(w.CustomFriendlyName) {
			return invalid("CustomFriendlyName")
		}
		w.brand = w.CustomFriendlyName
	}
	if err := w.readLocale(s); err != nil {
		return err
	}
	if w.CustomCode != "" && !otp.ValidCustom(w.CustomCode) {
		return invalid("CustomCode")
	}
	if w.DeviceIP != "" {
		if _, err := netip.ParseAddr(w.DeviceIP); err != nil {
			return invalid("DeviceIp")
		}
	}
	if w.RiskCheck != "" && !slices.Contains(RiskChecks, w.RiskCheck) {
		return invalid("RiskCheck")
	}
	if strings.Trim(w.SendDigits, "0123456789*#wW") != "" || !SendDigits.Holds(len(w.SendDigits)) {
		return invalid("SendDigits")
	}
	if err := w.readJSON(); err != nil {
		return err
	}
	w.options.DoNotShare = s.DoNotShareWarningEnabled && (w.channel == SMS || w.channel == RCS)
	if w.channel == Call {
		w.options.SendDigits = w.SendDigits
		w.options.PressKey = s.DTMFInputRequired
		if s.TTSName != nil {
			w.options.Voice = *s.TTSName
		}
	}
	return nil
}

// readLocale finds the language of the message. One that nobody knows is refused, unless it could
// be that of a template; one that the channel lacks is refused where the API has a code for it.
func (w *wish) readLocale(s *Service) error {
	channel := string(w.channel)
	templates := w.TemplateSID != "" || w.Templates != "" || s.DefaultTemplateSID != nil
	if w.Locale != "" && !message.Known(w.Locale) && !(templates && message.TemplateLocale(w.Locale)) {
		return invalid("Locale")
	}
	if w.Locale != "" && !message.Supported(channel, w.Locale) {
		switch w.channel {
		case Call:
			return &Error{Code: CodeNoSpeechLocale}
		case WhatsApp:
			return &Error{Code: CodeWhatsAppTemplate}
		}
	}
	w.locale = message.Resolve(channel, w.Locale, w.to)
	return nil
}

// The bounds of Tags (core reference, section 3.2).
const (
	maxTags      = 10
	maxTagLength = 128
)

// readJSON checks the parameters that are JSON.
func (w *wish) readJSON() error {
	if w.RateLimits != "" {
		var err error
		if w.rateLimits, err = texts(w.RateLimits); err != nil {
			return invalid("RateLimits")
		}
	}
	if w.Substitutions != "" {
		var err error
		if w.values, err = texts(w.Substitutions); err != nil {
			return invalid("TemplateCustomSubstitutions")
		}
	}
	if err := w.readTags(); err != nil {
		return err
	}
	if w.ChannelConfiguration == "" {
		return nil
	}
	settings, err := jsonparam.Object(w.ChannelConfiguration)
	if err != nil {
		return invalid("ChannelConfiguration")
	}
	if w.channel != Email {
		return nil
	}
	return w.readMailer(settings)
}

// readTags keeps the tags as they go into events.
func (w *wish) readTags() error {
	if w.Tags == "" {
		return nil
	}
	tags, err := texts(w.Tags)
	if err != nil || len(tags) > maxTags {
		return invalid("Tags")
	}
	for name, value := range tags {
		if utf8.RuneCountInString(name) > maxTagLength || utf8.RuneCountInString(value) > maxTagLength {
			return invalid("Tags")
		}
	}
	if len(tags) == 0 {
		return nil
	}
	text, err := json.Marshal(tags)
	w.options.Tags = string(text)
	return err
}

// readMailer takes the sender out of ChannelConfiguration. Its template and substitutions belong
// to a mailer of SendGrid's, which verifyd has not.
func (w *wish) readMailer(settings map[string]any) error {
	from, given := settings["from"]
	if given {
		text, _ := from.(string)
		address, _, ok := mailaddr.Parse(text)
		if !ok {
			return invalid("ChannelConfiguration")
		}
		w.options.EmailFrom = address
	}
	name, given := settings["from_name"]
	if given {
		text, ok := name.(string)
		if !ok || !shortText(text) {
			return invalid("ChannelConfiguration")
		}
		w.options.EmailFromName = text
	}
	return nil
}

// texts reads a JSON object whose values are scalars.
func texts(s string) (map[string]string, error) {
	object, err := jsonparam.Object(s)
	if err != nil {
		return nil, err
	}
	return textsOf(object)
}

func textsOf(object map[string]any) (map[string]string, error) {
	out := make(map[string]string, len(object))
	for name, v := range object {
		text, ok := jsonparam.Text(v)
		if !ok {
			return nil, errors.New("a value is not a text")
		}
		out[name] = text
	}
	return out, nil
}

// readGates refuses what the service has not turned on.
func (w *wish) readGates(s *Service) error {
	if w.CustomCode != "" && !s.CustomCodeEnabled {
		return &Error{Code: CodeFeatureDisabled}
	}
	return nil
}

func (w *wish) readPSD2(s *Service) error {
	if !s.PSD2Enabled {
		return nil
	}
	if w.Amount == "" || w.Payee == "" {
		return &Error{Code: CodePSD2Incomplete}
	}
	switch w.channel {
	case Call:
		return &Error{Code: CodePSD2Call}
	case WhatsApp:
		// Meta's authentication template shows a code and nothing else, and a code must not be
		// given for a payment without its amount and payee (RTS article 5).
		return &Error{Code: CodeChannelDisabled}
	}
	if !OneLine(w.Amount, Amounts.Max) {
		return invalid("Amount")
	}
	if !OneLine(w.Payee, Payees.Max) {
		return invalid("Payee")
	}
	w.amount, w.payee = w.Amount, w.Payee
	return nil
}

// OneLine reports whether s is at most max characters long and has no control characters.
func OneLine(s string, max int) bool {
	return utf8.RuneCountInString(s) <= max && !strings.ContainsFunc(s, unicode.IsControl)
}

// readTemplates checks the Android app hash and the parameters that name templates.
func (w *wish) readTemplates(*Service) error {
	if w.AppHash != "" {
		if w.channel != SMS {
			return &Error{Code: CodeAppHashChannel}
		}
		if !validAppHash(w.AppHash) {
			return invalid("AppHash")
		}
		w.options.AppHash = w.AppHash
	}
	return w.readCandidates()
}

// validAppHash accepts the base64 alphabet of Android's SMS Retriever, whose hashes have eleven
// characters.
func validAppHash(hash string) bool {
	if !AppHashes.Holds(len(hash)) {
		return false
	}
	for _, c := range []byte(hash) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// otherTransaction reports whether a pending verification is for another amount or payee.
func (w *wish) otherTransaction(v *Verification) bool {
	return v.Amount != w.amount || v.Payee != w.payee
}

// ValidCode reports whether a code that is chosen and not drawn can be sent: 4 to 10 digits or letters.
func ValidCode(code string) bool { return otp.ValidCustom(code) }
