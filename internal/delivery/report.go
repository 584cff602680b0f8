package delivery

import (
	"cmp"
	"context"
	"log/slog"
	"strings"

	"github.com/verifyd/verifyd/internal/verify"
	"github.com/verifyd/verifyd/provider"
)

// maxReportText bounds what a report names: no carrier's identifier comes near it.
const maxReportText = 255

// Report records what the carrier of a provider says about a message. When it returns nil the report
// may be acknowledged: it is written, or kept until its attempt is known, or says nothing.
//
// It may come before Send has returned: SMPP and HTTP both do it. Such a report waits in the queue, as
// does one that nobody knows; after five minutes it is dropped.
func (w *Worker) Report(ctx context.Context, name string, said provider.Report) error {
	r, ok := reportOf(name, said)
	if !ok {
		w.logReport(r, "says nothing")
		return nil
	}
	r.Key = cmp.Or(r.Key, w.keyOf(r))
	got, err := w.Engine.Report(ctx, r, w.another)
	if err == nil {
		w.logReport(r, outcomes[got])
	}
	return err
}

// outcomes are what the log calls what became of a report.
var outcomes = map[verify.ReportOutcome]string{
	verify.ReportTaken: "taken", verify.ReportWaiting: "waits for its attempt", verify.ReportDropped: "dropped: nobody knows its attempt",
}

// LateReports looks again for the attempts of reports that wait. It implements queue.Worker, for jobs
// of the kind verify.LateReports.
type LateReports struct{ *Worker }

// Work looks for the attempt of one report.
func (l LateReports) Work(ctx context.Context, job verify.Job) error {
	r, got, err := l.Engine.LateReport(ctx, job, l.keyOf, l.another)
	if err == nil && got != verify.ReportWaiting {
		l.logReport(r, outcomes[got])
	}
	return err
}

// another reports whether there is a route for an attempt that was not tried yet, and that its budget
// allows.
func (w *Worker) another(a *verify.Attempt) bool {
	p := readProgress(a.Story.Steps())
	return p.sends < w.Budget.sends() && p.another(w.routes(a))
}

// reportOf is a report in the engine's terms; ok is false if there is nothing to do with it.
func reportOf(name string, said provider.Report) (r verify.Report, ok bool) {
	r = verify.Report{
		Provider: name, ID: clean(said.ID), Key: clean(said.Key), Code: clean(said.Code),
		Price: clean(said.Price.Amount), Currency: clean(said.Price.Currency), MCC: clean(said.MCC), MNC: clean(said.MNC),
	}
	switch said.State {
	case provider.Delivered:
		r.State = verify.AttemptDelivered
	case provider.Read:
		r.State = verify.AttemptRead
	case provider.Failed:
		r.State = verify.AttemptUndelivered
		class := said.Class
		if class == 0 {
			class = provider.Unknown
		}
		r.Class, r.Final = class.String(), class == provider.BadRecipient
	case provider.NotRevoked:
		r.State = verify.AttemptSent
	}
	return r, r.State != "" && (r.ID != "" || r.Key != "") && len(said.ID) <= maxReportText && len(said.Key) <= maxReportText
}

// clean makes a text from outside one that every database takes.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "")
	for len(s) > maxReportText {
		s = strings.ToValidUTF8(s[:maxReportText], "")
	}
	return s
}

func (w *Worker) logReport(r verify.Report, outcome string) {
	level := slog.LevelInfo
	if outcome == outcomes[verify.ReportDropped] {
		level = slog.LevelWarn
	}
	w.Log.LogAttrs(context.Background(), level, "report",
		slog.String("provider", r.Provider), slog.String("id", r.ID), slog.String("key", r.Key),
		slog.String("state", string(r.State)), slog.String("class", r.Class), slog.String("code", r.Code),
		slog.String("outcome", outcome))
}
