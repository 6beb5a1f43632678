package main

import (
	"errors"
	"sync/atomic"

	"callboard/internal/explain"
	"callboard/internal/journal"
	"callboard/router"
	"callboard/rules"
)

// servingExplainer explains by the rules that serve when it is asked. What it makes ready for them is kept until others do.
func servingExplainer(g *router.Gateway, o router.Options) func(explain.Request, *journal.Callback) (*explain.Report, error) {
	type ready struct {
		set *rules.Set
		*explain.Explainer
	}
	var last atomic.Pointer[ready]
	return func(request explain.Request, recorded *journal.Callback) (*explain.Report, error) {
		set := g.Serving()
		if set == nil {
			return nil, errors.New("no rules serve")
		}
		now := last.Load()
		if now == nil || now.set != set {
			now = &ready{set, explain.New("the rules that serve", set, router.Options{Version: o.Version, AnswerWithin: o.AnswerWithin})}
			last.Store(now)
		}
		return now.Run(request, recorded)
	}
}
