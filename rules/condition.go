package rules

import (
	"fmt"
	"strings"
	"unicode"

	"callboard/rules/when"
)

// when compiles the condition once the rule's callbacks are known, so it is only kept here.
func (d *decoder) when(n *node, r *ruleDraft) {
	n = d.resolve(n)
	switch {
	case n.kind == brokenNode:
		r.condition = n
	case n.kind != scalarNode:
		r.condition = n
		d.fail(d.place(n), idWrongType, quoteHint, "when is an expression; without quotes, what begins with [ or { is a list or a mapping to YAML")
	case strings.TrimSpace(n.text) == "":
		d.fail(d.place(n), idNoValue, "leave the key out for a rule without a condition", "when is empty")
	default:
		r.condition = n
	}
}

// compile compiles the condition and brings what is wrong with it to its place in the file.
func (d *decoder) compile(r *ruleDraft) {
	n := r.condition
	if n == nil || n.kind != scalarNode {
		return
	}
	e, ok := d.expand(n)
	if !ok {
		return
	}
	r.When, r.secrets = strings.TrimSpace(n.text), e.secrets
	expression := strings.TrimSpace(e.value)
	lead := strings.Index(e.value, expression)
	commands := r.Callbacks
	if len(r.Unknown) > 0 {
		commands = nil // a command that nobody knows may carry any field
	}
	cond, problems := d.loading.compiler.Compile(expression, commands)
	for _, p := range problems {
		d.expressionProblem(n, e, p, lead)
	}
	r.cond = cond
}

// conditionProblem reports a problem of a condition that has been compiled.
func (d *decoder) conditionProblem(r *ruleDraft, p when.Problem) {
	if e, ok := d.expand(r.condition); ok {
		d.expressionProblem(r.condition, e, p, len(e.value)-len(strings.TrimLeftFunc(e.value, unicode.IsSpace)))
	}
}

// expressionProblem reports a problem of a condition or a key.
func (d *decoder) expressionProblem(n *node, e expansion, p when.Problem, lead int) {
	report := d.fail
	if p.Warning {
		report = d.warn
	}
	message, hint := p.Message, p.Hint
	if len(e.secrets) > 0 {
		// The message may quote any part of the expression, and so a secret.
		message = fmt.Sprintf("this has a finding (%s) once the references in the condition are resolved", p.ID)
		hint = "write the condition without ${…} to see more"
	}
	at, exact := d.expressionPlace(n, e, p, lead)
	if !exact {
		message += " (somewhere in this expression)"
	}
	if cut := d.commentBehind(n); cut && !p.Warning {
		hint = strings.TrimPrefix(hint+"; ", "; ") + "YAML takes what follows ` #` for a comment: " + quoteHint
	}
	report(at, p.ID, hint, "%s", message)
}

// expressionPlace returns the place of a problem, and whether it is more exact than the whole expression.
func (d *decoder) expressionPlace(n *node, e expansion, p when.Problem, lead int) (place, bool) {
	whole := p.Start == 0 && p.End == 0
	from, to := p.Start+lead, p.End+lead
	if whole {
		from, to = lead, len(strings.TrimRight(e.value, " \t\n"))
	}
	from, to = e.textRange(from, max(to, from+1))
	places, ok := d.align(n)
	if !ok || len(places) == 0 {
		return d.place(n), whole
	}
	if from >= len(places) { // behind the last character, where something is missing
		last := places[len(strings.TrimRight(n.text, " \t\n"))-1]
		return place{last.line, last.endCol, last.endCol + 1}, true
	}
	return d.within(n, from, to), true
}

// commentBehind reports whether a plain expression ends where YAML sees a comment.
func (d *decoder) commentBehind(n *node) bool {
	if n.style != plainStyle {
		return false
	}
	places, ok := d.align(n)
	if !ok || len(places) == 0 {
		return false
	}
	last := places[len(places)-1]
	rest := d.source.line(last.line)[last.endCol-1:]
	return strings.HasPrefix(strings.TrimLeft(string(rest), " \t"), "#")
}
