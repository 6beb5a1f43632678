package peers

import (
	"time"

	"callboard/openim"
	"callboard/rules"
	"callboard/rules/when"
)

// A scanTable evaluates every rule for a callback's command, with the programs that Callboard evaluates.
type scanTable struct {
	env   *when.Env
	rules map[*openim.Command][]scanRule
}

type scanRule struct {
	name string
	cond *when.Cond
}

func newScanTable(set *rules.Set) *scanTable {
	t := &scanTable{rules: map[*openim.Command][]scanRule{}}
	var conds []*when.Cond
	for _, r := range set.Rules {
		cond, _ := when.Compile(r.When, r.Callbacks)
		conds = append(conds, cond)
		for _, c := range r.Callbacks {
			t.rules[c] = append(t.rules[c], scanRule{r.Name, cond})
		}
	}
	t.env = when.NewEnv(conds)
	return t
}

// match returns the names of the rules that match.
func (t *scanTable) match(cb *openim.Callback) ([]string, error) {
	var names []string
	scope := t.env.Bind(cb, time.Time{})
	defer scope.Release()
	for _, r := range t.rules[cb.Command] {
		matched, err := scope.Eval(r.cond)
		if err != nil {
			return nil, err
		}
		if matched {
			names = append(names, r.name)
		}
	}
	return names, nil
}
