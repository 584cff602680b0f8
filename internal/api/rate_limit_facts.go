package api

import "github.com/verifyd/verifyd/internal/verify"

func rateLimitFacts() Resource {
	const (
		limits  = "/v2/Services/{ServiceSid}/RateLimits"
		limit   = limits + "/{Sid}"
		buckets = limits + "/{RateLimitSid}/Buckets"
		bucket  = buckets + "/{Sid}"
	)
	description := Fact{Name: "Description", About: "A text for people.", Clears: true, From: Spec | Ours, Range: verify.Descriptions, Example: "by address"}
	ofBucket := []Fact{
		{Name: "Max", About: "Starts with one value in a window.", From: Spec | Ours, Required: true, Range: verify.BucketMaxima, Example: 10},
		{Name: "Interval", About: "Seconds of a window, which begins with the first start of a value. No two buckets of a rate limit have the same: 60211.", From: Spec | Ours, Required: true, Range: verify.BucketIntervals, Example: 3600},
	}
	notFound := []verify.Code{verify.CodeNotFound}
	return Resource{
		Name:  "RateLimits",
		About: "A rate limit counts the starts of a service by a value that each start gives; its buckets say how many may be in how long.",
		Note: "A service has at most 10 rate limits (60207), a rate limit at most 10 buckets (60210); Twilio's\n" +
			"numbers are unpublished. Windows begin with the first start of a value (ours). [rate-limits.md](rate-limits.md)\n" +
			"shows how they are used.",
		Operations: []Operation{
			{Method: "POST", Path: limits, ID: "CreateRateLimit", About: "Makes a rate limit. Without buckets it limits nothing.", Params: rateLimitParams{}, Facts: []Fact{
				{Name: "UniqueName", About: "Its name in the service, which never changes: letters, digits, `.`, `_`, `-`; else 60209. One that is taken is 60208.", From: Spec | Docs | Ours, Required: true, Pattern: "^[A-Za-z0-9._-]*$", Range: verify.UniqueNames, Example: "end_user_ip"},
				description,
			}, Status: 201, Body: rateLimitBody{}, Codes: []verify.Code{verify.CodeMissingParameter, verify.CodeNotFound, verify.CodeTooManyRateLimits, verify.CodeRateLimitExists, verify.CodeUniqueNameInvalid}},
			{Method: "GET", Path: limits, ID: "ListRateLimit", About: "Lists the rate limits of a service, newest first.", Note: "the order is ours", From: Spec | Ours, Paged: true, Status: 200, Body: rateLimitList{}, Codes: ofList(verify.CodeNotFound)},
			{Method: "GET", Path: limit, ID: "FetchRateLimit", About: "Fetches a rate limit.", Status: 200, Body: rateLimitBody{}, Codes: notFound},
			{Method: "POST", Path: limit, ID: "UpdateRateLimit", About: "Changes the description.", Params: descriptionParams{}, Facts: []Fact{description}, Partial: true, Status: 200, Body: rateLimitBody{}, Codes: notFound},
			{Method: "DELETE", Path: limit, ID: "DeleteRateLimit", About: "Removes a rate limit and its buckets.", Status: 204, Codes: notFound},
			{Method: "POST", Path: buckets, ID: "CreateBucket", About: "Makes a bucket of a rate limit.", Params: bucketParams{}, Facts: ofBucket, Status: 201, Body: bucketBody{},
				Codes: []verify.Code{verify.CodeMissingParameter, verify.CodeNotFound, verify.CodeTooManyBuckets, verify.CodeBucketExists}},
			{Method: "GET", Path: buckets, ID: "ListBucket", About: "Lists the buckets of a rate limit, newest first.", Note: "the order is ours", From: Spec | Ours, Paged: true, Status: 200, Body: bucketList{}, Codes: ofList(verify.CodeNotFound)},
			{Method: "GET", Path: bucket, ID: "FetchBucket", About: "Fetches a bucket.", Status: 200, Body: bucketBody{}, Codes: notFound},
			{Method: "POST", Path: bucket, ID: "UpdateBucket", About: "Changes a bucket. What was counted stays counted.", Params: bucketParams{}, Facts: ofBucket, Partial: true, Status: 200, Body: bucketBody{},
				Codes: []verify.Code{verify.CodeNotFound, verify.CodeBucketExists}},
			{Method: "DELETE", Path: bucket, ID: "DeleteBucket", About: "Removes a bucket.", Status: 204, Codes: notFound},
		},
		Records: []Record{
			{Name: "RateLimit", Contract: "rate_limit", About: "A rate limit.", Body: rateLimitBody{}, Facts: []Fact{
				{Name: "sid", About: "The rate limit.", SID: "RK"},
				{Name: "unique_name", About: "Its name in the service.", Example: "end_user_ip"},
				{Name: "description", About: "A text for people."},
				{Name: "links", About: "The addresses of what is below it."},
				{Name: "links.buckets", About: "Buckets.", Format: "uri"},
			}},
			{Name: "RateLimitList", About: "A page of rate limits.", Body: rateLimitList{}, Facts: listFacts("rate_limits", "The rate limits.")},
			{Name: "Bucket", Contract: "bucket", About: "One bound of a rate limit.", Body: bucketBody{}, Facts: []Fact{
				{Name: "sid", About: "The bucket.", SID: "BL"},
				{Name: "rate_limit_sid", About: "The rate limit.", SID: "RK"},
				{Name: "max", About: "Starts with one value in a window.", Range: verify.BucketMaxima, Example: 10},
				{Name: "interval", About: "Seconds of a window.", Range: verify.BucketIntervals, Example: 3600},
			}},
			{Name: "BucketList", About: "A page of buckets.", Body: bucketList{}, Facts: listFacts("buckets", "The buckets.")},
		},
	}
}
