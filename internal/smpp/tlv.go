package smpp

import (
	"bytes"
	"encoding/binary"
)

// Tag names an optional parameter (SMPP 3.4, 5.3.2).
type Tag uint16

// The tags that have a meaning here.
const (
	TagAdditionalStatusInfo Tag = 0x001D // additional_status_info_text: words about a refusal
	TagReceiptedMessageID   Tag = 0x001E
	TagSARReference         Tag = 0x020C // sar_msg_ref_num, 2 octets
	TagSARTotal             Tag = 0x020E // sar_total_segments, 1 octet
	TagSARNumber            Tag = 0x020F // sar_segment_seqnum, 1 octet
	TagVersion              Tag = 0x0210 // sc_interface_version, 1 octet
	TagNetworkError         Tag = 0x0423 // network_error_code: type of the network, then 2 octets
	TagMessagePayload       Tag = 0x0424
	TagMessageState         Tag = 0x0427 // 1 octet
	TagCongestion           Tag = 0x0428 // congestion_state of SMPP 5.0, 0 to 100
)

// TLV is an optional parameter.
type TLV struct {
	Tag   Tag
	Value []byte
}

// TLVs are the optional parameters of a PDU, in their order.
type TLVs []TLV

// Get is the value of the first parameter with that tag.
func (t TLVs) Get(tag Tag) ([]byte, bool) {
	for _, one := range t {
		if one.Tag == tag {
			return one.Value, true
		}
	}
	return nil, false
}

// Uint is the number of one, two or four octets in the first parameter with that tag.
func (t TLVs) Uint(tag Tag) (uint32, bool) {
	v, ok := t.Get(tag)
	if !ok {
		return 0, false
	}
	switch len(v) {
	case 1:
		return uint32(v[0]), true
	case 2:
		return uint32(binary.BigEndian.Uint16(v)), true
	case 4:
		return binary.BigEndian.Uint32(v), true
	}
	return 0, false
}

// Text is the value of the first parameter with that tag, up to its first NUL: carriers send texts
// with and without one.
func (t TLVs) Text(tag Tag) string {
	v, _ := t.Get(tag)
	text, _, _ := bytes.Cut(v, []byte{0})
	return string(text)
}
