package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"callboard/internal/console"
	"callboard/internal/diag"
	"callboard/internal/shadow"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
)

// A percent is a share on the command line: 5%.
type percent float64

// UnmarshalText reads 0% to 100%.
func (p *percent) UnmarshalText(text []byte) error {
	share, err := console.ParsePercent(string(text))
	*p = percent(share)
	return err
}

// shadowFlags say which candidate is compared with what serves, and what it may decide.
type shadowFlags struct {
	Shadow             string        `env:"CALLBOARD_SHADOW" placeholder:"DIR" completion:"file" help:"Rules folder of a candidate: what it would do is compared with what is done, and it decides nothing. Watched as --rules is. Default: none."`
	Canary             percent       `default:"0%" env:"CALLBOARD_CANARY" placeholder:"SHARE" help:"Share of the callbacks that the candidate decides, as in 5%."`
	CanaryKey          string        `default:"groupID" env:"CALLBOARD_CANARY_KEY" placeholder:"EXPRESSION" help:"What callbacks are shared out by: the same value always falls on the same side, and callbacks without one stay with --rules."`
	CanaryMaxRefusals  percent       `default:"1%" env:"CALLBOARD_CANARY_MAX_REFUSALS" placeholder:"SHARE" help:"How many of its callbacks the candidate may refuse that --rules would not. Beyond that, or one of the other bounds, it decides nothing any more."`
	CanaryMaxErrors    percent       `default:"1%" env:"CALLBOARD_CANARY_MAX_ERRORS" placeholder:"SHARE" help:"How many of its callbacks may be in trouble or have a sink that fails, beyond the share of the others, or a condition that does not fail with --rules."`
	CanaryMaxMatches   percent       `default:"100%" env:"CALLBOARD_CANARY_MAX_MATCHES" placeholder:"SHARE" help:"How many of its callbacks more rules may match than of --rules. 100%: no bound."`
	CanaryWindow       time.Duration `default:"5m" env:"CALLBOARD_CANARY_WINDOW" help:"The time that the bounds look back."`
	CanaryMinCallbacks int           `default:"50" env:"CALLBOARD_CANARY_MIN_CALLBACKS" placeholder:"N" help:"How many callbacks the candidate must have decided within that time before the bounds count."`
}

func (f shadowFlags) validate() error {
	switch {
	case f.Canary > 0 && f.Shadow == "":
		return errors.New("--canary needs a candidate: name its folder with --shadow")
	case f.CanaryWindow < time.Second || f.CanaryMinCallbacks <= 0:
		return errors.New("--canary-window must be at least 1s, --canary-min-callbacks more than 0")
	}
	return nil
}

// A candidate is the second folder of a gateway. Its methods do nothing for a nil one.
type candidate struct {
	shadow  *shadow.Shadow
	gateway *router.Gateway
	union   *table.Union // nil without a queue
	keeper  *table.Keeper
	folder  table.Options
}

// newCandidate makes what compares the candidate and has it see what the gateway does. It is nil without a candidate.
func (c serveCmd) newCandidate(folder table.Options, gateway *router.Options) (*candidate, error) {
	if c.Shadow == "" {
		return nil, nil
	}
	second := &candidate{folder: folder}
	second.folder.Dir, second.folder.Registerer, second.folder.Aside = c.Shadow, nil, true // the metrics are those of --rules
	if folder.Deliver != nil {
		second.union = table.NewUnion(folder.Deliver)
		second.folder.Deliver = second.union.Candidate
	}
	var err error
	second.shadow, err = shadow.New(shadow.Options{
		SetCandidate: second.set,
		Rehearsal:    router.Options{Version: gateway.Version, AnswerWithin: gateway.AnswerWithin},
		Share:        float64(c.Canary),
		Key:          c.CanaryKey,
		Bounds: shadow.Bounds{
			Refusals: float64(c.CanaryMaxRefusals), Errors: float64(c.CanaryMaxErrors), Matches: float64(c.CanaryMaxMatches),
			Window: c.CanaryWindow, Least: c.CanaryMinCallbacks,
		},
		Log:        folder.Log,
		Registerer: folder.Registerer,
	})
	if err != nil {
		return nil, usageError("as in --canary-key groupID", "reading --canary-key: %w", err)
	}
	record := gateway.OnTrace
	gateway.OnTrace = func(t *router.Trace) {
		if record != nil {
			record(t) // first: then the callback is the shadow's alone
		}
		second.shadow.Observe(t)
	}
	return second, nil
}

// set puts the candidate's table beside the serving one. Its sinks are the queue's already.
func (s *candidate) set(t *router.Table, takes func(*openim.Callback) bool) {
	s.gateway.SetCandidate(t, takes)
	if t == nil && s.union != nil {
		s.union.Candidate(nil)
	}
}

// join brings the candidate, the gateway and the folder that serves together.
func (s *candidate) join(gateway *router.Gateway, serving *table.Options) {
	if s == nil {
		return
	}
	s.gateway = gateway
	publish := serving.Publish
	serving.Publish = func(t *router.Table) {
		publish(t)
		s.shadow.Serving(t)
	}
	if s.union != nil {
		serving.Deliver = s.union.Serving
	}
	s.folder.Publish = s.shadow.Candidate
	s.keeper = table.New(s.folder)
}

// show gives the admin listener the candidate.
func (s *candidate) show(o *console.Options, servingDir string) {
	if s == nil {
		return
	}
	reload := o.Reload
	o.Reload = func() ([]diag.Diagnostic, error) {
		ds, err := reload()
		_, _ = s.keeper.Load() // what is wrong with it is among the details
		return ds, err
	}
	o.Candidate = &console.CandidateOptions{Shadow: s.shadow, Status: s.keeper.Status, Dir: absolute(s.folder.Dir), ServingDir: absolute(servingDir)}
}

func absolute(dir string) string {
	if path, err := filepath.Abs(dir); err == nil {
		return path
	}
	return dir
}

// candidatePatience is how long callbacks wait at the start for a candidate, so that those of a canary fall on its side from the
// first one on. One that takes longer comes later.
const candidatePatience = 2 * time.Second

// start loads the candidate, whose mistakes keep nobody from serving, and keeps it current until ctx ends.
func (s *candidate) start(ctx context.Context, g *errgroup.Group) {
	if s == nil {
		return
	}
	loaded := make(chan struct{})
	g.Go(func() error {
		_, _ = s.keeper.Load() // the keeper logs what is wrong
		close(loaded)
		return s.keeper.Run(ctx)
	})
	g.Go(func() error { return s.shadow.Run(ctx) })
	select {
	case <-loaded:
	case <-time.After(candidatePatience):
	}
}

// reload reads the candidate's folder now.
func (s *candidate) reload() {
	if s != nil {
		s.keeper.Reload()
	}
}
