package devserver

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/verifyd/verifyd/internal/factor"
	"github.com/verifyd/verifyd/internal/handset"
	"github.com/verifyd/verifyd/internal/inbox"
	"github.com/verifyd/verifyd/internal/verify"
)

// devHandsets are the simulated handsets of a data folder. They reach the server as real ones do, over
// HTTP, and nothing but their access tokens comes from inside. It implements inbox.Handsets.
type devHandsets struct {
	clocks  *serviceClocks // and the engines that have them
	account string
	service string // where no other is named
	options handset.Options
	path    string // of the file that remembers them, with their keys; "" for none

	mu   sync.Mutex
	sets []*devHandset // oldest first
}

type devHandset struct {
	*handset.Handset
	answered []inbox.Challenge // newest first
}

// handsetsFile is in the data folder.
const handsetsFile = "handsets.json"

// shownAnswers is how many answers a handset goes on showing.
const shownAnswers = 3

// openHandsets reads the handsets of a data folder, if there is one.
func openHandsets(clocks *serviceClocks, w World, data string) (*devHandsets, error) {
	d := &devHandsets{
		clocks: clocks, account: w.Account, service: w.Service,
		options: handset.Options{BaseURL: w.URL + "/v2", Client: &http.Client{Timeout: 10 * time.Second}, Random: clocks.engine.Random},
	}
	if data == "" {
		return d, nil
	}
	d.path = filepath.Join(data, handsetsFile)
	text, err := os.ReadFile(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	if err := d.read(text); err != nil {
		return nil, fmt.Errorf("%s: %w", d.path, err)
	}
	return d, nil
}

// read takes up the handsets that text wrote. The caller holds mu.
func (d *devHandsets) read(text []byte) error {
	var states []handset.State
	if err := json.Unmarshal(text, &states); err != nil {
		return err
	}
	var sets []*devHandset
	for _, s := range states {
		h, err := handset.Restore(d.optionsOf(s.ServiceSID), s)
		if err != nil {
			return err
		}
		sets = append(sets, &devHandset{Handset: h})
	}
	d.sets = sets
	return nil
}

// optionsOf are those of a handset of a service, by whose time it signs.
func (d *devHandsets) optionsOf(serviceSID string) handset.Options {
	o := d.options
	o.Now = d.clocks.of(serviceSID).Now
	return o
}

// text writes the handsets, with their keys. The caller holds mu.
func (d *devHandsets) text() ([]byte, error) {
	sets := make([]*handset.Handset, 0, len(d.sets))
	for _, s := range d.sets {
		sets = append(sets, s.Handset)
	}
	return json.MarshalIndent(sets, "", "  ")
}

// Save notes which handsets there are.
func (d *devHandsets) Save() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text()
}

// Restore has those handsets be there that were. What they have answered is not shown any more.
func (d *devHandsets) Restore(text []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(text); err != nil {
		return err
	}
	return d.save()
}

// save remembers the handsets. The caller holds mu.
func (d *devHandsets) save() error {
	if d.path == "" {
		return nil
	}
	text, err := d.text()
	if err != nil {
		return err
	}
	next := d.path + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, d.path)
}

// List implements inbox.Handsets, the newest first.
func (d *devHandsets) List(ctx context.Context) ([]inbox.Handset, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []inbox.Handset
	for _, s := range slices.Backward(d.sets) {
		shown, err := s.show(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, shown)
	}
	return list, nil
}

// Handset implements inbox.Handsets.
func (d *devHandsets) Handset(ctx context.Context, factorSID string) (inbox.Handset, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.find(factorSID)
	if err != nil {
		return inbox.Handset{}, err
	}
	return s.show(ctx)
}

// find is a handset by its factor. The caller holds mu.
func (d *devHandsets) find(factorSID string) (*devHandset, error) {
	i := slices.IndexFunc(d.sets, func(s *devHandset) bool { return s.FactorSID == factorSID })
	if i < 0 {
		return nil, inbox.ErrNoHandset
	}
	return d.sets[i], nil
}

// Register implements inbox.Handsets.
func (d *devHandsets) Register(ctx context.Context, p inbox.Registration) (inbox.Handset, error) {
	if p.ServiceSID == "" {
		p.ServiceSID = d.service
	}
	if p.Platform == "" {
		p.Platform = string(factor.FCM)
	}
	system, token := handset.Android, ""
	if p.Platform == string(factor.APN) {
		system = handset.IOS
	}
	if p.Platform != string(factor.NoPlatform) {
		var b [16]byte
		if _, err := io.ReadFull(d.options.Random, b[:]); err != nil {
			return inbox.Handset{}, err
		}
		token = "handset-" + hex.EncodeToString(b[:])
	}
	if p.Name == "" {
		p.Name = string(system) + " handset"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, access, err := factor.NewEngine(d.clocks.engineOfService(p.ServiceSID)).CreateAccessToken(ctx, d.account, p.ServiceSID, factor.AccessTokenParams{Identity: &p.Identity, FactorType: new(string(factor.Push))})
	if refused, ok := errors.AsType[*verify.Error](err); ok {
		if refused.Code == verify.CodeNotFound {
			return inbox.Handset{}, &inbox.Refusal{Status: http.StatusNotFound, Code: int(refused.Code), Message: "There is no service " + p.ServiceSID}
		}
		return inbox.Handset{}, &inbox.Refusal{Status: http.StatusBadRequest, Code: int(refused.Code), Message: "An identity has 8 to 64 letters, digits and hyphens"}
	}
	if err != nil {
		return inbox.Handset{}, err
	}
	o := d.optionsOf(p.ServiceSID)
	o.System = system
	h, err := handset.Enrol(ctx, o, handset.Enrolment{
		AccessToken: access, ServiceSID: p.ServiceSID, Identity: p.Identity, FriendlyName: p.Name,
		AppID: "com.example.app", Platform: p.Platform, Token: token, Metadata: map[string]string{"os": string(system)},
	})
	if err == nil {
		err = h.Verify(ctx)
	}
	if err != nil {
		return inbox.Handset{}, refusalOf(err)
	}
	s := &devHandset{Handset: h}
	d.sets = append(d.sets, s)
	if err := d.save(); err != nil {
		return inbox.Handset{}, err
	}
	return s.show(ctx)
}

// Answer implements inbox.Handsets.
func (d *devHandsets) Answer(ctx context.Context, factorSID, challengeSID string, approve bool) (inbox.Challenge, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.find(factorSID)
	if err != nil {
		return inbox.Challenge{}, err
	}
	answer := s.Deny
	if approve {
		answer = s.Approve
	}
	c, err := answer(ctx, challengeSID)
	if err != nil {
		if c != nil && c.Status != string(factor.ChallengePending) { // it has its answer, or its time is up
			return inbox.Challenge{}, &inbox.Refusal{Status: http.StatusConflict, Code: int(factor.CodeChallengeResponded), Message: "The challenge is " + c.Status}
		}
		return inbox.Challenge{}, refusalOf(err)
	}
	shown := shownChallenge(c)
	s.answered = append([]inbox.Challenge{shown}, s.answered[:min(len(s.answered), shownAnswers-1)]...)
	return shown, nil
}

// Remove implements inbox.Handsets. The factor goes too, if it is still there.
func (d *devHandsets) Remove(ctx context.Context, factorSID string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.find(factorSID)
	if err != nil {
		return err
	}
	if err := s.Delete(ctx); err != nil {
		return refusalOf(err)
	}
	d.sets = slices.DeleteFunc(d.sets, func(other *devHandset) bool { return other == s })
	return d.save()
}

// show asks the server what the handset has to show.
func (s *devHandset) show(ctx context.Context) (inbox.Handset, error) {
	shown := inbox.Handset{
		FactorSID: s.FactorSID, ServiceSID: s.ServiceSID, Identity: s.Identity, Name: s.FriendlyName, Platform: s.Platform, Token: s.Token,
	}
	const page = 20
	pending, err := s.Challenges(ctx, string(factor.ChallengePending), page)
	if refused, ok := errors.AsType[*handset.Error](err); ok && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusNotFound) {
		shown.Gone = true
		return shown, nil
	}
	if err != nil {
		return shown, err
	}
	for i := range slices.Backward(pending) {
		shown.Challenges = append(shown.Challenges, shownChallenge(&pending[i]))
	}
	shown.Challenges = append(shown.Challenges, s.answered...)
	return shown, nil
}

func shownChallenge(c *handset.Challenge) inbox.Challenge {
	shown := inbox.Challenge{
		SID: c.SID, Status: c.Status, Message: c.Message, HiddenDetails: c.HiddenDetails, CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt,
	}
	for _, f := range c.Fields {
		shown.Fields = append(shown.Fields, inbox.ChallengeField(f))
	}
	return shown
}

// refusalOf passes on what the server said to a handset.
func refusalOf(err error) error {
	if refused, ok := errors.AsType[*handset.Error](err); ok {
		if refused.Status == http.StatusUnauthorized { // of the handset, and not of whoever looks at it
			return &inbox.Refusal{Status: http.StatusConflict, Code: refused.Code, Message: "The server does not know the handset any more: its factor was deleted"}
		}
		return &inbox.Refusal{Status: refused.Status, Code: refused.Code, Message: refused.Message}
	}
	return err
}

// statusOf is inbox.Options.State: of a verification, or of the challenge of a notification.
func (all *serviceClocks) statusOf(ctx context.Context, sid string) (string, error) {
	e := all.about(ctx, sid)
	if strings.HasPrefix(sid, "YC") {
		status, err := factor.NewEngine(e).StatusOfChallenge(ctx, sid)
		return string(status), err
	}
	status, err := e.StatusOf(ctx, sid)
	return string(status), err
}
