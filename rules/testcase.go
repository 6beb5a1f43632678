package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"callboard/internal/diag"
	"callboard/openim"
)

// A testDraft is a case while its file is read: the case and where its parts stand. Defaults, a case and a row of it are
// drafts that start from one another.
type testDraft struct {
	Test
	at       place
	callback *node
	set      []*node // mappings of fields, later ones over earlier ones
	shared   int     // how many of set come from above: of those, fields that the command lacks are left out
	answers  []*node // the same, of answers
	text     *node
	each     *node
	expect   expectDraft
}

var testKeys = keys[testDraft]{
	what: "a test",
	known: []key[testDraft]{
		{"name", func(d *decoder, n *node, t *testDraft) { t.Test.Name, _ = d.literal(n, "the name of a test") }},
		{"callback", func(_ *decoder, n *node, t *testDraft) { t.callback = n }},
		{"set", func(_ *decoder, n *node, t *testDraft) { t.set = slices.Concat(t.set, []*node{n}) }},
		{"without", func(d *decoder, n *node, t *testDraft) { t.Without = d.names(n, "without", func(string, place) {}) }},
		{"text", func(_ *decoder, n *node, t *testDraft) { t.text = n }},
		{"source", func(d *decoder, n *node, t *testDraft) { t.Source, _ = d.scalar(n, "source") }},
		{"query", func(d *decoder, n *node, t *testDraft) { t.Query, _ = d.scalar(n, "query") }},
		{"headers", (*decoder).testHeaders},
		{"recorded", func(d *decoder, n *node, t *testDraft) { t.Recorded, _ = d.scalar(n, "recorded") }},
		{"id", func(d *decoder, n *node, t *testDraft) { t.RecordID, _ = d.scalar(n, "id") }},
		{"at", (*decoder).testTime},
		{"answers", func(_ *decoder, n *node, t *testDraft) { t.answers = slices.Concat(t.answers, []*node{n}) }},
		{"expect", func(d *decoder, n *node, t *testDraft) { readMapping(d, n, expectKeys, &t.expect) }},
		{"each", func(_ *decoder, n *node, t *testDraft) { t.each = n }},
	},
}

// testDefaultKeys are what the tests of a file may have in common.
var testDefaultKeys = testKeys.without("defaults of tests", "name", "each")

// finishTest reads what depends on the command, and finds what cannot be played.
func (d *decoder) finishTest(t *testDraft) {
	d.testCallback(t)
	switch {
	case t.callback == nil && t.Recorded == "":
		d.fail(t.at, idMissingKey, "as in `callback: beforeSendGroupMsg`, or `recorded: calls.jsonl`", "this test has no callback")
	case t.RecordID != "" && t.Recorded == "":
		d.fail(t.at, idMissingKey, "as in `recorded: calls.jsonl`", "id names a recorded callback, but no file of them is given")
	}
	d.testFields(t)
	if t.text != nil {
		if text, ok := d.scalar(t.text, "text"); ok {
			t.Text = &text
		}
	}
	d.testAnswers(t)
	d.finishExpect(t)
}

func (d *decoder) testCallback(t *testDraft) {
	if t.callback == nil {
		return
	}
	name, ok := d.literal(t.callback, "a callback")
	if !ok {
		return
	}
	command, known := openim.Lookup(name)
	switch {
	case known:
		t.Command, t.Callback = command, command.Name
	case strings.HasPrefix(name, "callback") && len(name) > len("callback"):
		t.Callback = name
	default:
		d.fail(d.place(d.resolve(t.callback)), idCommandUnknown, d.nearestCommand(name), "unknown callback %q", name)
	}
}

// testFields reads the fields of set. Those that the catalogue knows must be of their type.
func (d *decoder) testFields(t *testDraft) {
	t.Set = nil
	for i, n := range t.set {
		pairs, _ := d.freePairs(n, "set")
		for _, p := range pairs {
			field := &openim.Field{Name: p.key.text}
			if t.Command != nil {
				known, ok := t.Command.Field(p.key.text)
				if !ok && i < t.shared && anyCommandHas(p.key.text) {
					continue
				}
				if !ok {
					d.fail(d.place(p.key), idUnknownField, d.nearestField(t.Command, p.key.text), "%s has no field %q", t.Command.Short, p.key.text)
					continue
				}
				field = known
			}
			if raw, ok := d.testValue(p.value, field, p.key.text); ok {
				t.Set = setField(t.Set, openim.FieldValue{Name: p.key.text, Raw: raw})
			}
		}
	}
}

// testValue is fieldValue, with null, and with the constants of conditions in place of numbers.
func (d *decoder) testValue(n *node, f *openim.Field, path string) ([]byte, bool) {
	if n.kind == nullNode {
		return []byte("null"), true
	}
	if n.kind == scalarNode && f.Kind == openim.Int {
		for _, c := range openim.Constants() {
			if c.Name == n.text {
				return strconv.AppendInt(nil, int64(c.Value), 10), true
			}
		}
	}
	return d.fieldValue(n, f, path, 0)
}

func anyCommandHas(field string) bool {
	return slices.ContainsFunc(openim.Commands(), func(c *openim.Command) bool { _, ok := c.Field(field); return ok })
}

func (d *decoder) nearestField(c *openim.Command, name string) string {
	var names []string
	for i := range c.Request {
		names = append(names, c.Request[i].Name)
	}
	if near := diag.Nearest(name, names); near != "" {
		return `did you mean "` + near + `"?`
	}
	return "fields of " + c.Short + ": " + strings.Join(names, ", ")
}

func setField(fields []openim.FieldValue, f openim.FieldValue) []openim.FieldValue {
	i := slices.IndexFunc(fields, func(have openim.FieldValue) bool { return have.Name == f.Name })
	if i < 0 {
		return append(fields, f)
	}
	fields[i] = f
	return fields
}

func (d *decoder) testHeaders(n *node, t *testDraft) {
	pairs, _ := d.freePairs(n, "headers")
	t.Headers = maps.Clone(t.Headers)
	if t.Headers == nil {
		t.Headers = make(map[string]string, len(pairs))
	}
	for _, p := range pairs {
		text, ok := d.scalar(p.value, "a header's value")
		switch {
		case !headerName.MatchString(p.key.text):
			d.fail(d.place(p.key), idHeader, "letters, digits and dashes, then a colon", "this is no name for a header")
		case ok && !headerText.MatchString(text):
			d.fail(d.place(p.value), idHeader, "", "the value of header %s contains control characters", p.key.text)
		case ok:
			t.Headers[p.key.text] = text
		}
	}
}

// testDay is the day of a time that has none, a Thursday: the one of the samples.
var testDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const timeHint = `as in 2026-01-31T18:30:00+08:00, "18:30", "18:30 Asia/Shanghai" or "Sat 18:30 Asia/Shanghai"`

// testTime reads a time, or a time of day, perhaps with a day of the week and a zone.
func (d *decoder) testTime(n *node, t *testDraft) {
	text, ok := d.scalar(n, "at")
	if !ok {
		return
	}
	if t.At, ok = readTestTime(text); !ok {
		d.fail(d.place(d.resolve(n)), idWrongType, timeHint, "at is a time, not %q", text)
	}
}

func readTestTime(text string) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	words := strings.Fields(text)
	day := testDay
	if len(words) > 1 {
		for i := range 7 {
			if weekday := testDay.AddDate(0, 0, i); weekday.Format("Mon") == words[0] || weekday.Weekday().String() == words[0] {
				day, words = weekday, words[1:]
				break
			}
		}
	}
	zone := time.UTC
	if len(words) == 2 {
		var err error
		if zone, err = time.LoadLocation(words[1]); err != nil {
			return time.Time{}, false
		}
		words = words[:1]
	}
	if len(words) != 1 {
		return time.Time{}, false
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if clock, err := time.Parse(layout, words[0]); err == nil {
			return time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, zone), true
		}
	}
	return time.Time{}, false
}
