package router

import "callboard/rules"

// Serving returns the rules that new callbacks meet, nil while there are none.
func (g *Gateway) Serving() *rules.Set {
	if t := g.table.Load(); t != nil {
		return t.Rules
	}
	return nil
}
