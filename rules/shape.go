package rules

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"callboard/openim"
	"callboard/rules/when"
)

// A Computed is a header or a field with the source of the expression that it is computed by.
type Computed struct{ Name, Source string }

// A shapeDraft is what a sink says about what it gets, while its file is read.
type shapeDraft struct {
	headers, fields []computedDraft
	body            *node // nil: as it came
	cache           cacheDraft
}

func (s *shapeDraft) isEmpty() bool {
	return len(s.headers)+len(s.fields) == 0 && s.body == nil && s.cache.has == nil
}

type computedDraft struct {
	name string
	at   place
	expr *node      // nil takes back what defaults say
	by   *sinkDraft // that says so: the sink, or defaults
}

var setKeys = keys[sinkDraft]{
	what: "set",
	known: []key[sinkDraft]{
		{"headers", func(d *decoder, n *node, s *sinkDraft) {
			s.shape.headers = inherit(d.computed(n, "set.headers", checkComputedHeader, s), s.shape.headers, strings.EqualFold)
		}},
		{"fields", func(d *decoder, n *node, s *sinkDraft) {
			s.shape.fields = inherit(d.computed(n, "set.fields", checkComputedField, s), s.shape.fields, func(a, b string) bool { return a == b })
		}},
	},
}

// set reads what is computed for each request.
func (d *decoder) set(n *node, s *sinkDraft) {
	if has, ok := readMapping(d, n, setKeys, s); ok && len(has) == 0 {
		d.fail(d.place(n), idMissingKey, `as in set: {fields: {tenant: 'split(groupID, "-")[0]'}}`, "set sets nothing")
	}
}

// inherit adds what defaults set to what a sink sets itself.
func inherit(own, defaults []computedDraft, same func(a, b string) bool) []computedDraft {
	for _, c := range defaults {
		if !slices.ContainsFunc(own, func(o computedDraft) bool { return same(o.name, c.name) }) {
			own = append(own, c)
		}
	}
	return own
}

// computed reads names with expressions.
func (d *decoder) computed(n *node, what string, check func(name string, seen []computedDraft) (problem, hint string), by *sinkDraft) []computedDraft {
	pairs, _ := d.freePairs(n, what)
	var list []computedDraft
	for _, p := range pairs {
		c := computedDraft{name: p.key.text, at: d.place(p.key), by: by}
		if problem, hint := check(c.name, list); problem != "" {
			d.fail(c.at, idComputedName, hint, "%s", problem)
			continue
		}
		if p.value.kind == nullNode {
			d.fail(c.at, idNoValue, "give it an expression or leave it out", "%s has no value", c.name)
			continue
		}
		c.expr = d.shapeNode(p.value, what)
		list = append(list, c)
	}
	return list
}

// ownedHeaders say what a body is and sign it, so that they cannot be computed beside it.
var ownedHeaders = []string{"content-type", "webhook-id", "webhook-timestamp", "webhook-signature"}

func checkComputedHeader(name string, seen []computedDraft) (problem, hint string) {
	lower := strings.ToLower(name)
	switch {
	case !headerName.MatchString(name):
		return "this is no name for a header", "letters, digits and dashes, then a colon"
	case slices.Contains(reservedHeaders, lower), slices.Contains(ownedHeaders, lower):
		return "header " + name + " cannot be set: the request has its own", ""
	case slices.ContainsFunc(seen, func(c computedDraft) bool { return strings.EqualFold(c.name, name) }):
		return "header " + name + " is given twice", "the case of a header's name does not count"
	}
	return "", ""
}

// longestField bounds the name of a field that is set, in bytes.
const longestField = 100

func checkComputedField(name string, _ []computedDraft) (problem, hint string) {
	switch {
	case name == "":
		return "a field needs a name", ""
	case len(name) > longestField:
		return fmt.Sprintf("the name of a field has %d bytes, %d are allowed", len(name), longestField), ""
	}
	return "", ""
}

// shapeNode returns an expression for later, nil for an empty one and where it cannot be one.
func (d *decoder) shapeNode(n *node, what string) *node {
	n = d.resolve(n)
	if n.kind == scalarNode && !strings.Contains(n.text, "${") {
		d.reveal(n)
	}
	switch {
	case n.kind == brokenNode:
	case n.kind != scalarNode:
		d.fail(d.place(n), idWrongType, `quote it: without quotes, what begins with { or [ is a mapping or a list to YAML, as in '{"group": groupID}'`,
			"%s takes expressions, and this is none", what)
	case strings.Contains(n.text, "${"):
		d.fail(d.place(n), idReferenceHere, "what is computed is shown by explain; a header that is always the same stands in headers", "%s cannot use ${…}", what)
	case strings.TrimSpace(n.text) != "":
		return n
	}
	return nil
}

func (d *decoder) body(n *node, s *sinkDraft) { s.shape.body = d.shapeNode(n, "body") }

// compileShapes compiles what sinks compute, for the callbacks of the rules that ask or notify them.
func (l *loader) compileShapes() {
	for _, s := range l.sinks {
		if s.shape.isEmpty() {
			continue
		}
		compiler := s.from.loading.compiler
		c := shapeCompiler{sink: s, commands: commandsOf(slices.Concat(s.askedBy, s.notifiedBy), l.pace)}
		c.shaper.commands = c.commands
		for _, h := range s.shape.headers {
			if value := c.compile(h.expr, h.by == s.read, compiler.CompileText); value != nil {
				c.shaper.headers = append(c.shaper.headers, computed{textproto.CanonicalMIMEHeaderKey(h.name), value})
				s.SetHeaders = append(s.SetHeaders, Computed{h.name, value.Source()})
			}
		}
		for _, f := range s.shape.fields {
			if value := c.compile(f.expr, f.by == s.read, compiler.CompileValue); value != nil {
				c.shaper.fields = append(c.shaper.fields, computed{f.name, value})
				s.SetFields = append(s.SetFields, Computed{f.name, value.Source()})
				c.checkCase(f)
			}
		}
		_, own := s.has["body"]
		if value := c.compile(s.shape.body, own, compiler.CompileValue); value != nil {
			c.shaper.body, s.Body = value, value.Source()
			if len(c.shaper.fields) > 0 && !value.MayBeObject() {
				s.from.fail(s.from.place(s.shape.body), idBodyNoObject, "build an object, or leave out set.fields",
					"body is no object, so the fields of set cannot be set in it%s", c.of(own))
			}
		}
		c.compileCacheKey()
		s.Shaper = c.shaper.ready()
	}
}

// A shapeCompiler compiles the expressions of one sink.
type shapeCompiler struct {
	sink     *sinkDraft
	commands []*openim.Command
	shaper   Shaper
}

// of says which sink a finding is about where its place, in defaults, does not.
func (c *shapeCompiler) of(own bool) string {
	if own {
		return ""
	}
	return fmt.Sprintf(" (for sink %q)", c.sink.Name)
}

func (c *shapeCompiler) compile(n *node, own bool, compile func(string, []*openim.Command) (*when.Value, []when.Problem)) *when.Value {
	if n == nil {
		return nil
	}
	d := c.sink.from
	e, ok := d.expand(n)
	if !ok {
		return nil
	}
	expression := strings.TrimSpace(e.value)
	lead := strings.Index(e.value, expression)
	value, problems := compile(expression, c.commands)
	if value != nil && c.sink.notifiedBy != nil {
		problems = slices.Concat(problems, notInDeliveries(value))
	}
	for _, p := range problems {
		p.Message += c.of(own)
		d.expressionProblem(n, e, p, lead)
	}
	return value
}

// notInDeliveries reports what an expression reads of the request, which deliveries no longer have.
func notInDeliveries(v *when.Value) []when.Problem {
	var problems []when.Problem
	for _, name := range []string{"headers", "query"} {
		if !slices.Contains(v.Reads(), name) {
			continue
		}
		start, end := when.PlaceOf(v.Source(), name)
		problems = append(problems, when.Problem{ID: idNotInDeliveries, Start: start, End: end,
			Message: name + " cannot be read here: rules notify this sink, and what waits for delivery is the body alone",
			Hint:    "use a sink of its own for what is only asked, or a field of the body"})
	}
	return problems
}

// checkCase finds fields that differ from one of the callback's in case only: many services do not tell them apart.
func (c *shapeCompiler) checkCase(f computedDraft) {
	commands := c.commands
	if commands == nil {
		commands = openim.Commands()
	}
	if slices.ContainsFunc(commands, func(command *openim.Command) bool { _, ok := command.Field(f.name); return ok }) {
		return
	}
	for _, command := range commands {
		for _, known := range command.Request {
			if strings.EqualFold(known.Name, f.name) {
				c.sink.from.warn(f.at, idComputedName, fmt.Sprintf("did you mean %q?", known.Name),
					"%s of %s differs from %s in case only, which many services overlook%s", known.Name, command.Short, f.name, c.of(f.by == c.sink.read))
				return
			}
		}
	}
}
