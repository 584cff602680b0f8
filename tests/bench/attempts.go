package main

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/sid"
	"github.com/verifyd/verifyd/internal/verify"
)

// attemptsLeg is the leg of lists and summaries of attempts, which has no sides.
const attemptsLeg = "attempts"

// asks is how often every question is asked, after once that does not count.
const asks = 31

// timing is how long one kind of request took.
type timing struct {
	what    string
	summary bool // not a list
	found   int  // attempts on the page, or in the sum
	ms      []float64
}

// timeAttempts fills a data folder, and times what a dashboard asks for.
func (b *bench) timeAttempts(ctx context.Context) ([]timing, error) {
	folder := b.folder(attemptsLeg)
	c, err := b.startVerifyd(ctx, folder) // makes the account
	if err != nil {
		return nil, err
	}
	c.stop()
	b.say("writing %d attempts, some minutes for ten million", b.attempts)
	now := time.Now()
	if err := fillAttempts(ctx, folder, b.attempts, now, rand.New(rand.NewPCG(1, 2))); err != nil {
		return nil, err
	}
	syscall.Sync() // the disk is not to be busy with it

	if c, err = b.startVerifyd(ctx, folder); err != nil {
		return nil, err
	}
	defer c.stop()
	b.say("asking for attempts")
	return c.askForAttempts(ctx, now)
}

// attemptsSpan is how far back the API sees attempts.
const attemptsSpan = 30 * 24 * time.Hour

// What stored attempts are like. Of every hundred thousand one went to the rare country.
var attemptCountries = []struct{ country, numbers string }{
	{"BR", "+556"}, {"DE", "+496"}, {"ES", "+346"}, {"FR", "+336"}, {"GB", "+446"},
	{"IN", "+916"}, {"IT", "+396"}, {"JP", "+816"}, {"MX", "+526"}, {"PT", "+3516"},
}

const (
	someCountry = "IT"
	rareCountry = "IS"
	rareOnceIn  = 100_000
)

// fillAttempts adds attempts to the store of a data folder, evenly over the time that the API sees
// at now: of three services, to ten countries, a fifth of them calls, three quarters of them converted.
func fillAttempts(ctx context.Context, folder string, n int, now time.Time, random *rand.Rand) error {
	first, pause := now.Add(-attemptsSpan), attemptsSpan/time.Duration(n)
	return inBatches(ctx, folder, n, func(tx factor.Tx, i int) error {
		at := first.Add(time.Duration(i) * pause)
		verificationSID, err := sid.New(sid.Verification, at, crand.Reader)
		if err != nil {
			return err
		}
		attemptSID, err := sid.New(sid.Attempt, at, crand.Reader)
		if err != nil {
			return err
		}
		place := attemptCountries[random.IntN(len(attemptCountries))]
		v := &verify.Verification{
			SID: verificationSID, ServiceSID: fmt.Sprintf("VA%032d", random.IntN(3)), AccountSID: accountSID,
			To: fmt.Sprintf("%s%08d", place.numbers, random.IntN(100_000_000)), Country: place.country,
			Channel: verify.SMS, CodeLength: 6, Status: verify.Approved, CreatedAt: at, ExpiresAt: at.Add(lifetime),
		}
		if i%rareOnceIn == n/2%rareOnceIn { // however few they are, the one in the middle is
			v.Country = rareCountry
		}
		if random.IntN(5) == 0 {
			v.Channel = verify.Call
		}
		if random.IntN(4) == 0 {
			v.Status = verify.Expired
		}
		addSent(tx, v, attemptSID)
		return nil
	})
}

// attemptPage is what is read of a list of attempts, or of a summary.
type attemptPage struct {
	Attempts []json.RawMessage `json:"attempts"`
	Total    int               `json:"total_attempts"`
	Meta     struct {
		Next string `json:"next_page_url"`
	} `json:"meta"`
}

// getAttempts says how long the answer took, in ms.
func (c *child) getAttempts(ctx context.Context, path string) (page attemptPage, took float64, err error) {
	begin := time.Now()
	body, err := c.do(ctx, http.MethodGet, path, nil, http.StatusOK)
	took = time.Since(begin).Seconds() * 1000
	if err != nil {
		return page, took, err
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return page, took, c.failed(fmt.Errorf("GET %s: %w: %s", path, err, body))
	}
	return page, took, nil
}

// attemptsPath is the path of a list of fifty.
func attemptsPath(filters url.Values) string {
	query := url.Values{"PageSize": {"50"}}
	for name, values := range filters {
		query[name] = values
	}
	return "/v2/Attempts?" + query.Encode()
}

// askForAttempts times the questions in turns, so that none of them finds only what it has just read
// itself.
func (c *child) askForAttempts(ctx context.Context, now time.Time) ([]timing, error) {
	deep, err := c.deepPage(ctx, now.Add(-attemptsSpan*2/3))
	if err != nil {
		return nil, err
	}
	questions := []struct {
		timing
		path string
	}{
		{timing{what: "newest page"}, attemptsPath(nil)},
		{timing{what: "a tenth, by country"}, attemptsPath(url.Values{"Country": {someCountry}})},
		{timing{what: "a fifth, by channel"}, attemptsPath(url.Values{"Channel": {"call"}})},
		{timing{what: "a fiftieth, by both"}, attemptsPath(url.Values{"Country": {someCountry}, "Channel": {"call"}})},
		{timing{what: "a rare country"}, attemptsPath(url.Values{"Country": {rareCountry}})},
		{timing{what: "page of twenty days ago"}, deep},
		{timing{what: "summary of a month", summary: true}, "/v2/Attempts/Summary"},
	}
	for turn := range asks + 1 {
		for i := range questions {
			q := &questions[i]
			page, took, err := c.getAttempts(ctx, q.path)
			if err != nil {
				return nil, err
			}
			if q.found = len(page.Attempts) + page.Total; turn > 0 {
				q.ms = append(q.ms, took)
			}
		}
	}
	asked := make([]timing, 0, len(questions))
	for _, q := range questions {
		asked = append(asked, q.timing)
	}
	return asked, nil
}

// deepPage is the path of the page of the whole list that begins somewhat before a time: a client
// that turned page after page would come to the same token.
func (c *child) deepPage(ctx context.Context, at time.Time) (path string, err error) {
	const before = "DateCreatedBefore"
	page, _, err := c.getAttempts(ctx, attemptsPath(url.Values{before: {at.UTC().Format(time.RFC3339)}}))
	if err != nil {
		return "", err
	}
	next, err := url.Parse(page.Meta.Next)
	if err != nil {
		return "", fmt.Errorf("page of %s: %w", at, err)
	}
	query := next.Query()
	if query.Get("PageToken") == "" {
		return "", fmt.Errorf("page of %s: it has no next one; more -attempts are wanted", at)
	}
	query.Del(before)
	return next.Path + "?" + query.Encode(), nil
}
