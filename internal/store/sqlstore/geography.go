package sqlstore

import (
	"strings"

	"github.com/verifyd/verifyd/internal/verify"
)

func geoKey(r verify.GeoRule) string {
	return strings.Join([]string{r.AccountSID, r.ServiceSID, string(r.Channel), r.Country}, "/")
}

// GeoRules implements verify.Tx.
func (t *Tx) GeoRules(accountSID string) ([]verify.GeoRule, error) {
	t.listed = true
	return list(t, func(row Row) (r verify.GeoRule, err error) {
		var allowed int64
		err = row.Scan(&r.AccountSID, &r.ServiceSID, &r.Channel, &r.Country, &allowed)
		r.Allowed = allowed == 1
		return r, err
	}, `SELECT account_sid, service_sid, channel, country, allowed FROM geo_rule
		WHERE key >= $1 AND key < $2 ORDER BY key`, accountSID+"/", accountSID+"0") // 0 follows the slash
}

// PutGeoRule implements verify.Tx.
func (t *Tx) PutGeoRule(r verify.GeoRule) {
	t.config = true
	t.write(`INSERT INTO geo_rule (key, account_sid, service_sid, channel, country, allowed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (key) DO UPDATE SET allowed = $6`,
		geoKey(r), r.AccountSID, r.ServiceSID, string(r.Channel), r.Country, toBit(r.Allowed))
}

// DeleteGeoRule implements verify.Tx.
func (t *Tx) DeleteGeoRule(r verify.GeoRule) {
	t.config = true
	t.write(`DELETE FROM geo_rule WHERE key = $1`, geoKey(r))
}
