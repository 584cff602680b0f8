package handset

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
)

// State is what a handset has to remember, as JSON, with its key in it.
type State struct {
	System        System `json:"system"`
	ServiceSID    string `json:"service_sid"`
	Identity      string `json:"identity"`
	AccountSID    string `json:"account_sid"`
	FactorSID     string `json:"factor_sid"`
	CredentialSID string `json:"credential_sid"`
	FriendlyName  string `json:"friendly_name"`
	AppID         string `json:"app_id"`
	Platform      string `json:"platform"`
	Token         string `json:"token"`
	Status        string `json:"status"`
	Key           []byte `json:"key"`
}

// MarshalJSON writes the State of a handset.
func (h *Handset) MarshalJSON() ([]byte, error) {
	key, err := h.Key.Bytes()
	if err != nil {
		return nil, err
	}
	return json.Marshal(State{
		h.System, h.ServiceSID, h.Identity, h.AccountSID, h.FactorSID, h.CredentialSID, h.FriendlyName, h.AppID, h.Platform, h.Token, h.Status, key,
	})
}

// Restore makes the handset that a State was written of.
func Restore(o Options, s State) (*Handset, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), s.Key)
	if err != nil {
		return nil, fmt.Errorf("key of handset %s: %w", s.FactorSID, err)
	}
	o.System = s.System
	return &Handset{
		Options: o, ServiceSID: s.ServiceSID, Identity: s.Identity, AccountSID: s.AccountSID, FactorSID: s.FactorSID, CredentialSID: s.CredentialSID,
		FriendlyName: s.FriendlyName, AppID: s.AppID, Platform: s.Platform, Token: s.Token, Status: s.Status, Key: key,
	}, nil
}
