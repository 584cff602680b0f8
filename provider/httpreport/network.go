package httpreport

import "regexp"

var network = regexp.MustCompile(`^[0-9]{3}-?[0-9]{2,3}$`)

// Network parts a network as carriers write it, "21407", into the codes of its country and of
// itself; both are "" where it is none.
func Network(mccmnc string) (mcc, mnc string) {
	if !network.MatchString(mccmnc) {
		return "", ""
	}
	mcc, mnc = mccmnc[:3], mccmnc[3:]
	if mnc[0] == '-' {
		mnc = mnc[1:]
	}
	return mcc, mnc
}
