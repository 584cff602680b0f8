package api

import (
	"net/http"
	"time"

	"github.com/verifyd/verifyd/internal/verify"
)

// bucketParams are the parameters of a create and an update.
type bucketParams struct {
	Max      *int `form:"Max"`
	Interval *int `form:"Interval"`
}

func (a *API) createBucket(r *request) (response, error) {
	var p bucketParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	b, err := a.engine.CreateBucket(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("RateLimitSid"), verify.BucketParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: bucketJSON(b, r.base)}, nil
}

func (a *API) listBuckets(r *request) (response, error) {
	query, page, err := readPage(r.query)
	if err != nil {
		return response{}, err
	}
	l, buckets, err := a.engine.Buckets(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("RateLimitSid"), page)
	if err != nil {
		return response{}, err
	}
	buckets, m := cutPage(query, "buckets", rateLimitJSON(l, r.base).Links.Buckets, buckets,
		func(b verify.Bucket) string { return b.SID })
	list := make([]bucketBody, 0, len(buckets))
	for i := range buckets {
		list = append(list, bucketJSON(&buckets[i], r.base))
	}
	return response{status: http.StatusOK, body: bucketList{list, m}}, nil
}

func (a *API) fetchBucket(r *request) (response, error) {
	b, err := a.engine.Bucket(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("RateLimitSid"), r.vars.get("Sid"))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: bucketJSON(b, r.base)}, nil
}

func (a *API) updateBucket(r *request) (response, error) {
	var p bucketParams
	if err := decode(r.form, &p); err != nil {
		return response{}, err
	}
	b, err := a.engine.UpdateBucket(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("RateLimitSid"), r.vars.get("Sid"), verify.BucketParams(p))
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusOK, body: bucketJSON(b, r.base)}, nil
}

func (a *API) deleteBucket(r *request) (response, error) {
	if err := a.engine.DeleteBucket(r.ctx, r.account, r.vars.get("ServiceSid"), r.vars.get("RateLimitSid"), r.vars.get("Sid")); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

type bucketList struct {
	Buckets []bucketBody `json:"buckets"`
	Meta    meta         `json:"meta"`
}

type bucketBody struct {
	SID          string `json:"sid"`
	RateLimitSID string `json:"rate_limit_sid"`
	ServiceSID   string `json:"service_sid"`
	AccountSID   string `json:"account_sid"`
	Max          int    `json:"max"`
	Interval     int    `json:"interval"` // seconds
	DateCreated  string `json:"date_created"`
	DateUpdated  string `json:"date_updated"`
	URL          string `json:"url"`
}

func bucketJSON(b *verify.Bucket, base string) bucketBody {
	return bucketBody{
		SID:          b.SID,
		RateLimitSID: b.RateLimitSID,
		ServiceSID:   b.ServiceSID,
		AccountSID:   b.AccountSID,
		Max:          b.Max,
		Interval:     int(b.Interval / time.Second),
		DateCreated:  timestamp(b.CreatedAt),
		DateUpdated:  timestamp(b.UpdatedAt),
		URL:          base + "/Services/" + b.ServiceSID + "/RateLimits/" + b.RateLimitSID + "/Buckets/" + b.SID,
	}
}
