package smpp

// Octets that a text may have, without its closing NUL. The specification gives a password 8; some
// carriers hand out longer ones and ask that they be sent. It gives a message_id 64; ids of 128 are
// seen.
const (
	maxSystemID     = 15
	maxPassword     = 64
	maxSystemType   = 12
	maxAddressRange = 40
	maxServiceType  = 5
	maxAddress      = 20
	maxDataAddress  = 64
	maxTime         = 16
	maxMessageID    = 255
	// MaxShortMessage is what the short_message of a ShortMessage holds; more goes into the TLV
	// message_payload.
	MaxShortMessage = 254
)

// Bind is the body of the three binds.
type Bind struct {
	SystemID, Password, SystemType string
	Version                        byte
	TON, NPI                       byte
	AddressRange                   string
}

func (b *Bind) write(w *writer, _ Status) {
	w.text("system_id", b.SystemID, maxSystemID)
	w.text("password", b.Password, maxPassword)
	w.text("system_type", b.SystemType, maxSystemType)
	w.octets(b.Version, b.TON, b.NPI)
	w.text("address_range", b.AddressRange, maxAddressRange)
}

func (b *Bind) read(r *reader) {
	b.SystemID = r.text("system_id", maxSystemID)
	b.Password = r.text("password", maxPassword)
	b.SystemType = r.text("system_type", maxSystemType)
	b.Version, b.TON, b.NPI = r.octet(), r.octet(), r.octet()
	b.AddressRange = r.text("address_range", maxAddressRange)
	r.end()
}

// BindResp is the body of the answers to binds.
type BindResp struct {
	SystemID string
	TLVs     TLVs
}

func (b *BindResp) write(w *writer, status Status) {
	if status != OK && b.SystemID == "" && len(b.TLVs) == 0 {
		return // 4.1.2: a refusal has no body
	}
	w.text("system_id", b.SystemID, maxSystemID)
	w.tlvs(b.TLVs)
}

func (b *BindResp) read(r *reader) {
	if r.atEnd() {
		return
	}
	b.SystemID = r.text("system_id", maxSystemID)
	b.TLVs = r.tlvs()
}

// Address is a number or a name with its type.
type Address struct {
	TON, NPI byte
	Addr     string
}

// ShortMessage is the body of SubmitSM and DeliverSM.
type ShortMessage struct {
	ServiceType         string
	Source, Destination Address
	ESMClass            byte
	ProtocolID          byte
	Priority            byte
	ScheduleTime        string
	ValidityPeriod      string
	RegisteredDelivery  byte
	ReplaceIfPresent    byte
	DataCoding          byte
	DefaultMessageID    byte
	Text                []byte // short_message
	TLVs                TLVs
}

// Bits of an ESMClass (5.2.12).
const (
	// ESMTypeMask are bits 2 to 5 of a DeliverSM, which say what it is.
	ESMTypeMask = 0x3C
	// ESMReceipt among them is a delivery receipt.
	ESMReceipt = 0x04
	// ESMIntermediate is a notification before the last one.
	ESMIntermediate = 0x20
	// ESMUserDataHeader says that the text begins with a header.
	ESMUserDataHeader = 0x40
)

// Content is what the message carries: the message_payload, or the short_message without one.
func (m *ShortMessage) Content() []byte {
	if payload, ok := m.TLVs.Get(TagMessagePayload); ok {
		return payload
	}
	return m.Text
}

func (m *ShortMessage) write(w *writer, _ Status) {
	w.text("service_type", m.ServiceType, maxServiceType)
	w.address("source_addr", m.Source, maxAddress)
	w.address("destination_addr", m.Destination, maxAddress)
	w.octets(m.ESMClass, m.ProtocolID, m.Priority)
	w.text("schedule_delivery_time", m.ScheduleTime, maxTime)
	w.text("validity_period", m.ValidityPeriod, maxTime)
	w.octets(m.RegisteredDelivery, m.ReplaceIfPresent, m.DataCoding, m.DefaultMessageID)
	if len(m.Text) > MaxShortMessage {
		w.refuse("short_message is too long")
		return
	}
	w.octets(byte(len(m.Text)))
	w.octets(m.Text...)
	w.tlvs(m.TLVs)
}

func (m *ShortMessage) read(r *reader) {
	m.ServiceType = r.text("service_type", maxServiceType)
	m.Source = r.address("source_addr", maxAddress)
	m.Destination = r.address("destination_addr", maxAddress)
	m.ESMClass, m.ProtocolID, m.Priority = r.octet(), r.octet(), r.octet()
	m.ScheduleTime = r.text("schedule_delivery_time", maxTime)
	m.ValidityPeriod = r.text("validity_period", maxTime)
	m.RegisteredDelivery, m.ReplaceIfPresent, m.DataCoding, m.DefaultMessageID = r.octet(), r.octet(), r.octet(), r.octet()
	n := int(r.octet())
	if n > MaxShortMessage {
		r.refuse("short_message is too long")
	}
	m.Text = r.take(n)
	m.TLVs = r.tlvs()
}

// Data is the body of DataSM, in which some carriers send receipts.
type Data struct {
	ServiceType         string
	Source, Destination Address
	ESMClass            byte
	RegisteredDelivery  byte
	DataCoding          byte
	TLVs                TLVs
}

func (d *Data) write(w *writer, _ Status) {
	w.text("service_type", d.ServiceType, maxServiceType)
	w.address("source_addr", d.Source, maxDataAddress)
	w.address("destination_addr", d.Destination, maxDataAddress)
	w.octets(d.ESMClass, d.RegisteredDelivery, d.DataCoding)
	w.tlvs(d.TLVs)
}

func (d *Data) read(r *reader) {
	d.ServiceType = r.text("service_type", maxServiceType)
	d.Source = r.address("source_addr", maxDataAddress)
	d.Destination = r.address("destination_addr", maxDataAddress)
	d.ESMClass, d.RegisteredDelivery, d.DataCoding = r.octet(), r.octet(), r.octet()
	d.TLVs = r.tlvs()
}

// MessageResp is the body of SubmitSMResp, DeliverSMResp and DataSMResp. The id is that of the
// message at the carrier, empty in a DeliverSMResp.
type MessageResp struct {
	MessageID string
	TLVs      TLVs
}

func (m *MessageResp) write(w *writer, status Status) {
	if status != OK && m.MessageID == "" && len(m.TLVs) == 0 {
		return // 4.4.2: a refusal has no body
	}
	w.text("message_id", m.MessageID, maxMessageID)
	w.tlvs(m.TLVs)
}

func (m *MessageResp) read(r *reader) {
	if r.atEnd() {
		return
	}
	m.MessageID = r.text("message_id", maxMessageID)
	m.TLVs = r.tlvs()
}
