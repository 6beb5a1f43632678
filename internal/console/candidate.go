package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/compare"
	"callboard/internal/shadow"
	"callboard/internal/table"
)

// A Shadow is what the API asks of the candidate: *shadow.Shadow, whose documentation holds.
type Shadow interface {
	Status() shadow.Status
	SetShare(share float64) error
	Resume() error
	Discard() error
}

// CandidateOptions are what there is of a candidate.
type CandidateOptions struct {
	// Shadow compares it.
	Shadow Shadow
	// Status tells how its folder stands: table.Keeper.Status.
	Status func() table.Status
	// Dir and ServingDir are the candidate's folder and the one that serves.
	Dir, ServingDir string
}

// A CandidateBrief is the candidate in /readyz.
type CandidateBrief struct {
	State     string `json:"state" enum:"absent,discarded,watching,canary,rolled_back" doc:"Absent: its folder has not been usable yet. Watching: it is compared and decides nothing. Canary: it decides a share. Rolled back: it went beyond a bound, and decides nothing."`
	Revision  string `json:"revision" doc:"Of the candidate, empty when there is none."`
	Current   bool   `json:"current" doc:"Whether its folder's contents are what is compared."`
	Share     string `json:"share" doc:"Of the callbacks with a key, as in 5%, that it decides."`
	Why       string `json:"why,omitempty" doc:"Why it was rolled back, or why its folder cannot be used."`
	Callbacks int    `json:"callbacks" doc:"Compared since either table changed."`
	Different int    `json:"different" doc:"Of them end differently."`
}

// A Candidate is how the candidate stands, and what it would do.
type Candidate struct {
	CandidateBrief
	Dir             string           `json:"dir" doc:"Its folder."`
	ServingDir      string           `json:"serving_dir" doc:"The folder that serves."`
	ServingRevision string           `json:"serving_revision" doc:"Of the table that it is compared with."`
	Key             string           `json:"key" doc:"The expression that callbacks are shared out by."`
	RolledBack      *Rollback        `json:"rolled_back,omitempty" doc:"Absent unless it was."`
	Since           time.Time        `json:"since" doc:"When the comparison was begun: at the last change of either table."`
	Window          CanaryWindow     `json:"window" doc:"What the bounds are held against."`
	Assumed         map[string]int   `json:"assumed,omitempty" doc:"Sinks that were not asked, with how many callbacks they were assumed to allow."`
	Unlisted        int              `json:"unlisted,omitempty" doc:"Differences beyond the most that are kept apart."`
	Diagnostics     []diagnostic     `json:"diagnostics" doc:"What is wrong with its folder, warnings too."`
	Differences     []RuleDifference `json:"differences" doc:"What matters most first."`
}

// A Rollback tells why the candidate no longer decides its share.
type Rollback struct {
	At    time.Time `json:"at"`
	Why   string    `json:"why"`
	Share string    `json:"share" doc:"That it had, as in 5%."`
}

// A CanaryWindow counts the callbacks that the candidate decided of late.
type CanaryWindow struct {
	Callbacks int `json:"callbacks"`
	Refused   int `json:"refused" doc:"That the serving rules would not refuse."`
	Failed    int `json:"failed" doc:"For which a sink failed, or a condition did that does not with the serving rules."`
	Matched   int `json:"matched" doc:"That more rules matched than of the serving ones."`
}

// A RuleDifference is what callbacks end differently in with the candidate, for one rule.
type RuleDifference struct {
	Kind      string           `json:"kind" enum:"refused,not_refused,code_changed,fields_changed,failed,not_failed,notified,not_notified,key_changed,asked,not_asked,matched,not_matched"`
	Rule      string           `json:"rule,omitempty" doc:"That makes the difference; absent where no single one does."`
	Owner     string           `json:"owner,omitempty" doc:"The team that answers for the rule."`
	Sink      string           `json:"sink,omitempty" doc:"Of asked, notified and key_changed."`
	Field     string           `json:"field,omitempty" doc:"Of fields_changed."`
	Callbacks int              `json:"callbacks"`
	Samples   []compare.Sample `json:"samples" doc:"The first of them."`
}

// A CanaryChange says what becomes of the candidate's share: one of the two.
type CanaryChange struct {
	Share  string `json:"share,omitempty" doc:"As in 5%; 0% takes it away."`
	Resume bool   `json:"resume,omitempty" doc:"After a rollback, the share that it had."`
}

type canaryInput struct{ Body CanaryChange }

var errNoCandidate = newProblem(http.StatusConflict, "this gateway has no candidate", "start serve with --shadow DIR")

func (c *console) addCandidate(api huma.API) {
	huma.Register(api, get("/api/shadow", "show-candidate", "Show how the candidate stands, and which callbacks end differently with it"), c.showCandidate)
	huma.Register(api, post("/api/shadow/canary", "change-canary", "Change the share of callbacks that the candidate decides"), c.changeCanary)
	huma.Register(api, post("/api/shadow/discard", "discard-candidate", "Take the candidate away until its folder changes"), c.discardCandidate)
}

func (c *console) showCandidate(context.Context, *struct{}) (*output[Candidate], error) {
	if c.Candidate == nil {
		return nil, errNoCandidate
	}
	s := c.Candidate.Shadow.Status()
	folder := c.Candidate.Status()
	status := Candidate{
		CandidateBrief: briefly(s, folder), Dir: c.Candidate.Dir, ServingDir: c.Candidate.ServingDir, ServingRevision: s.Serving, Key: s.Key,
		Since: s.Since.UTC(), Window: CanaryWindow(s.Window), Assumed: s.Assumed, Unlisted: s.Unlisted,
		Diagnostics: onWire(folder).Diagnostics, Differences: []RuleDifference{},
	}
	if back := s.RolledBack; back != nil {
		status.RolledBack = &Rollback{At: back.At.UTC(), Why: back.Why, Share: shadow.Percent(back.Share)}
	}
	for _, e := range s.Entries {
		status.Differences = append(status.Differences, RuleDifference{e.Kind.String(), e.Rule, s.Owners[e.Rule], e.Sink, e.Field, e.Callbacks, e.Samples})
	}
	return &output[Candidate]{status}, nil
}

func briefly(s shadow.Status, folder table.Status) CandidateBrief {
	brief := CandidateBrief{
		State: string(s.State), Revision: s.Revision, Current: folder.Current, Share: shadow.Percent(s.Share),
		Callbacks: s.Callbacks, Different: s.Different,
	}
	switch {
	case s.RolledBack != nil:
		brief.Why = s.RolledBack.Why
	case folder.Err != "":
		brief.Why = folder.Err
	case !folder.Current && len(folder.Diagnostics) > 0:
		brief.Why = "its folder has errors"
	}
	return brief
}

func (c *console) changeCanary(ctx context.Context, in *canaryInput) (*output[Candidate], error) {
	change := in.Body
	if (change.Share == "") == !change.Resume {
		return nil, newProblem(http.StatusUnprocessableEntity, "body: give either a share or resume", `as in {"share": "5%"}`)
	}
	return c.changeCandidate(ctx, func(s Shadow) error {
		if change.Resume {
			return s.Resume()
		}
		share, err := ParsePercent(change.Share)
		if err != nil {
			return unprocessable("body.share", change.Share, err, `as in "5%"`)
		}
		return s.SetShare(share)
	})
}

func (c *console) discardCandidate(ctx context.Context, _ *struct{}) (*output[Candidate], error) {
	return c.changeCandidate(ctx, Shadow.Discard)
}

// changeCandidate makes a change and tells how the candidate stands then.
func (c *console) changeCandidate(ctx context.Context, change func(Shadow) error) (*output[Candidate], error) {
	if c.Candidate == nil {
		return nil, errNoCandidate
	}
	switch err := change(c.Candidate.Shadow); {
	case errors.Is(err, shadow.ErrNoCandidate):
		return nil, newProblem(http.StatusConflict, err.Error(), "its folder has not been usable yet, or it was discarded: a change of the folder brings it back")
	case errors.Is(err, shadow.ErrNotRolledBack):
		return nil, newProblem(http.StatusConflict, err.Error(), `give a share, as in {"share": "5%"}`)
	case err != nil:
		return nil, err
	}
	return c.showCandidate(ctx, nil)
}

var errNoPercent = errors.New("not a share as in 5% or 0.5%, between 0% and 100%")

// ParsePercent reads a share as people write it, 0% to 100%.
func ParsePercent(text string) (share float64, err error) {
	digits, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0, errNoPercent
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return 0, errNoPercent
	}
	return n / 100, nil
}
