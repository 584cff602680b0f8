package api

import (
	"net/url"
	"strconv"

	"github.com/verifyd/verifyd/internal/verify"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
)

// pageQuery is where in a list a request stands.
type pageQuery struct {
	size  int
	page  int    // the client's own count, only repeated
	token string // "PA" and the SID of the last record of the page before
	// filters is what every URL of the list repeats, ready to be appended to a query.
	filters string
}

// readPage reads PageSize, Page and PageToken. A Page without a token is an offset, as clients
// that count for themselves expect.
func readPage(query url.Values) (pageQuery, verify.Page, error) {
	q := pageQuery{size: defaultPageSize, token: query.Get("PageToken")}
	if s := query.Get("PageSize"); s != "" {
		n, err := strconv.ParseInt(s, 10, 32)
		switch {
		case err != nil || n < 1:
			return q, verify.Page{}, &verify.Error{Code: verify.CodeInvalidParameter, Param: "PageSize"}
		case n > maxPageSize:
			return q, verify.Page{}, &verify.Error{Code: verify.CodePageSizeTooLarge}
		}
		q.size = int(n)
	}
	if s := query.Get("Page"); s != "" {
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil || n < 0 {
			return q, verify.Page{}, &verify.Error{Code: verify.CodeInvalidParameter, Param: "Page"}
		}
		q.page = int(n)
	}
	// One record more than asked for tells whether there is another page.
	p := verify.Page{Size: q.size + 1}
	switch {
	case len(q.token) > 2 && q.token[:2] == "PA":
		p.After = q.token[2:]
	case q.token != "":
		return q, p, &verify.Error{Code: verify.CodeInvalidParameter, Param: "PageToken"}
	default:
		p.Skip = q.page * q.size
	}
	return q, p, nil
}

// meta is the `meta` of a list: exactly these keys, of which `key` names the array.
type meta struct {
	Page            int     `json:"page"`
	PageSize        int     `json:"page_size"`
	FirstPageURL    string  `json:"first_page_url"`
	PreviousPageURL *string `json:"previous_page_url"`
	URL             string  `json:"url"`
	NextPageURL     *string `json:"next_page_url"`
	Key             string  `json:"key"`
}

// cutPage cuts the record too many off and describes the page. base is the list's URL; sid gives
// a record's SID.
func cutPage[T any](q pageQuery, key, base string, records []T, sid func(T) string) ([]T, meta) {
	at := func(page int, token string) string {
		u := base + "?PageSize=" + strconv.Itoa(q.size) + "&Page=" + strconv.Itoa(page) + q.filters
		if token != "" {
			u += "&PageToken=" + url.QueryEscape(token)
		}
		return u
	}
	m := meta{Page: q.page, PageSize: q.size, Key: key, FirstPageURL: at(0, ""), URL: at(q.page, q.token)}
	if q.page > 0 {
		previous := at(q.page-1, "")
		m.PreviousPageURL = &previous
	}
	if len(records) > q.size {
		records = records[:q.size]
		next := at(q.page+1, "PA"+sid(records[q.size-1]))
		m.NextPageURL = &next
	}
	return records, m
}
