package smpp

import "fmt"

// Status is the command_status of an answer (SMPP 3.4, 5.1.3, and 4.7.6 of 5.0 from 0x100 on).
type Status uint32

// The statuses that one of the two ends gives or looks for. What they mean to routing is the
// provider's affair.
const (
	OK                   Status = 0x00
	InvalidCommandLength Status = 0x02
	InvalidCommandID     Status = 0x03
	InvalidBindStatus    Status = 0x04
	AlreadyBound         Status = 0x05
	SystemError          Status = 0x08
	InvalidSource        Status = 0x0A
	InvalidDestination   Status = 0x0B
	BindFailed           Status = 0x0D
	InvalidPassword      Status = 0x0E
	InvalidSystemID      Status = 0x0F
	QueueFull            Status = 0x14
	SubmitFailed         Status = 0x45
	InvalidSystemType    Status = 0x53
	Throttled            Status = 0x58
	TemporaryAppError    Status = 0x64 // ESME_RX_T_APPN: the receiver cannot take it now
)

var statusNames = map[Status]string{
	0x00: "ROK", 0x01: "RINVMSGLEN", 0x02: "RINVCMDLEN", 0x03: "RINVCMDID", 0x04: "RINVBNDSTS", 0x05: "RALYBND",
	0x06: "RINVPRTFLG", 0x07: "RINVREGDLVFLG", 0x08: "RSYSERR", 0x0A: "RINVSRCADR", 0x0B: "RINVDSTADR",
	0x0C: "RINVMSGID", 0x0D: "RBINDFAIL", 0x0E: "RINVPASWD", 0x0F: "RINVSYSID", 0x11: "RCANCELFAIL",
	0x13: "RREPLACEFAIL", 0x14: "RMSGQFUL", 0x15: "RINVSERTYP", 0x33: "RINVNUMDESTS", 0x34: "RINVDLNAME",
	0x40: "RINVDESTFLAG", 0x42: "RINVSUBREP", 0x43: "RINVESMCLASS", 0x44: "RCNTSUBDL", 0x45: "RSUBMITFAIL",
	0x48: "RINVSRCTON", 0x49: "RINVSRCNPI", 0x50: "RINVDSTTON", 0x51: "RINVDSTNPI", 0x53: "RINVSYSTYP",
	0x54: "RINVREPFLAG", 0x55: "RINVNUMMSGS", 0x58: "RTHROTTLED", 0x61: "RINVSCHED", 0x62: "RINVEXPIRY",
	0x63: "RINVDFTMSGID", 0x64: "RX_T_APPN", 0x65: "RX_P_APPN", 0x66: "RX_R_APPN", 0x67: "RQUERYFAIL",
	0xC0: "RINVOPTPARSTREAM", 0xC1: "ROPTPARNOTALLWD", 0xC2: "RINVPARLEN", 0xC3: "RMISSINGOPTPARAM",
	0xC4: "RINVOPTPARAMVAL", 0xFE: "RDELIVERYFAILURE", 0xFF: "RUNKNOWNERR",
	0x100: "RSERTYPUNAUTH", 0x101: "RPROHIBITED", 0x102: "RSERTYPUNAVAIL", 0x103: "RSERTYPDENIED",
	0x104: "RINVDCS", 0x105: "RINVSRCADDRSUBUNIT", 0x106: "RINVDSTADDRSUBUNIT", 0x107: "RINVBCASTFREQINT",
	0x108: "RINVBCASTALIAS_NAME", 0x109: "RINVBCASTAREAFMT", 0x10A: "RINVNUMBCAST_AREAS",
	0x10B: "RINVBCASTCNTTYPE", 0x10C: "RINVBCASTMSGCLASS", 0x10D: "RBCASTFAIL", 0x10E: "RBCASTQUERYFAIL",
	0x10F: "RBCASTCANCELFAIL", 0x110: "RINVBCAST_REP", 0x111: "RINVBCASTSRVGRP", 0x112: "RINVBCASTCHANIND",
}

// Code is the status as manuals write it: "0x0B", "0x410".
func (s Status) Code() string { return fmt.Sprintf("0x%02X", uint32(s)) }

// String is the name that the specification gives the status, or its code.
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return "ESME_" + name
	}
	return s.Code()
}
