package rules

import (
	"maps"
	"slices"
	"strings"
	"time"

	"callboard/internal/diag"
	"callboard/openim"
)

// A Test is one case of a file of routing tests: a callback, how sinks answer, and what is to come of it. Package
// ruletest plays it.
type Test struct {
	Name string
	File string // where it stands
	Line int

	Command  *openim.Command     // nil where the catalogue lacks it, or where it is the recorded one's
	Callback string              // wire name of the command, "" where it is the recorded one's
	Set      []openim.FieldValue // fields of the body, in place of the sample's or the recorded ones; each once
	Without  []string            // fields that the body has not
	Text     *string             // the readable text, nil to leave it
	Source   string
	Query    string
	Headers  map[string]string
	Recorded string // file of recorded callbacks, as written; "" for a sample
	RecordID string // which of them, "" for the only one
	At       time.Time
	Answers  map[string][]TestAnswer // sink name → what its requests meet, the last for all further ones
	Expect   Expectation

	sinkAt []namePlace // sinks that it names, to check them
	ruleAt []namePlace
	from   *decoder
}

// A TestAnswer is what one request to a sink meets. Exactly one of Vote (but Failed), Fails, Status and Body says what.
type TestAnswer struct {
	Vote       openim.Vote
	Code       int32  // of a refusal
	Message    string // the same
	Detail     string // the same
	Fields     []openim.FieldValue
	Fails      TestFailure
	Status     int     // 0: 200
	Body       *string // word for word; nil: what the vote says
	RetryAfter string  // seconds, "" for none
	After      time.Duration
}

// A TestFailure is how a request gets no answer.
type TestFailure uint8

// The failures.
const (
	NoFailure   TestFailure = iota // it gets one
	TimesOut                       // none ever comes
	Unreachable                    // nobody listens
	Breaks                         // the connection breaks
)

// An Expectation is what is to come of a callback. What is nil or zero is not looked at; a list that is empty but not nil says that
// there is to be nothing.
type Expectation struct {
	Rules       []string // that match
	Asked       []ExpectedVote
	Notified    []ExpectedNotice
	NotRules    []string
	NotAsked    []string
	NotNotified []string
	Errors      []string // rules whose condition fails
	NothingElse bool     // no other rules, sinks asked or notified, or fields than those above
	Verdict     string   // allow or refuse
	Code        *int32
	Message     *string
	Detail      *string
	DecidedBy   *string // rule that refused, "" for none
	Fields      []openim.FieldValue
	Took        *time.Duration // exactly
	Within      time.Duration  // at most; 0: not looked at
}

// An ExpectedVote is a sink that is to be asked.
type ExpectedVote struct {
	Sink     string
	Vote     string // allow, refuse, abstain, failed, or out: not waited for; "" for any
	Attempts int    // requests; 0 for any
}

// An ExpectedNotice is a sink that is to be notified.
type ExpectedNotice struct {
	Sink string
	Key  *string // of its order, nil for any
}

type namePlace struct {
	name string
	at   place
}

// ReadTests reads files of routing tests and reports everything wrong at once. Names of rules and sinks are held against
// set, unless that is nil. No test comes back when any diagnostic is an error. References ${…} are not resolved: in tests they are plain text.
func ReadTests(files []File, set *Set) ([]*Test, []diag.Diagnostic) {
	found := &findings{seen: map[string]bool{}}
	var tests []*Test
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		tests = append(tests, readTestFile(f, found)...)
	}
	if set != nil {
		checkTestNames(tests, set)
	}
	checkTestsTwice(tests)
	found.show()
	diag.Sort(found.list, names)
	if diag.HasErrors(found.list) {
		return nil, found.list
	}
	return tests, found.list
}

func readTestFile(f File, found *findings) []*Test {
	d, root := openTests(f, found)
	if root == nil {
		return nil
	}
	var file testLayout
	if _, ok := readMapping(d, root, testFileKeys, &file); !ok {
		return nil
	}
	if file.tests == nil {
		d.fail(place{}, idMissingKey, "as in `tests: [{name: …, callback: …, expect: {…}}]`", "the file has no tests")
		return nil
	}
	first := testDraft{Test: Test{File: f.Name, from: d}}
	if file.defaults != nil {
		readMapping(d, file.defaults, testDefaultKeys, &first)
	}
	return d.tests(file.tests, first, 0)
}

// openTests parses a file. The node is nil where nothing in it can be read.
func openTests(f File, found *findings) (*decoder, *node) {
	data := trimByteOrderMark(f.Data)
	d := &decoder{source: newSource(f.Name, data), findings: found, near: map[string]string{}}
	switch {
	case len(data) > MaxFile:
		d.fail(place{}, idFileTooLarge, "cut it into several files", "the file is larger than 4 MiB")
		return d, nil
	case !d.checkEncoding(data):
		return d, nil
	}
	d.source.rulesLines = slices.Repeat([]bool{true}, d.source.lineCount()+1) // nothing in tests is secret
	before := len(found.list)
	documents := d.parse(data)
	switch {
	case len(documents) > 0 && documents[0].kind != nullNode:
	case len(found.list) == before:
		d.fail(place{}, idEmptyFile, "", "the file is empty")
		return d, nil
	default:
		return d, nil
	}
	for _, extra := range documents[1:] {
		d.fail(d.wholeLine(extra.line), idSecondDocument, "put it into a file of its own", "a second document (---) in one file")
	}
	d.visits = fewestVisits + visitsPerNode*documents[0].size()
	return d, documents[0]
}

type testLayout struct{ defaults, tests *node }

var testFileKeys = keys[testLayout]{
	what: "a file of tests",
	known: []key[testLayout]{
		{"defaults", func(_ *decoder, n *node, f *testLayout) { f.defaults = n }},
		{"tests", func(_ *decoder, n *node, f *testLayout) { f.tests = n }},
	},
}

// tests reads a list of cases, each over what stands above it.
func (d *decoder) tests(n *node, above testDraft, depth int) []*Test {
	what := "tests"
	if depth > 0 {
		what = "each"
	}
	items, ok := d.items(n, what, false)
	if ok && len(items) == 0 {
		d.fail(d.place(d.resolve(n)), idEmptyList, "", "%s names none", what)
	}
	var tests []*Test
	for _, item := range items {
		t := above
		t.each, t.Line, t.shared = nil, item.line, len(above.set)
		t.Test.Name = ""
		has, ok := readMapping(d, item, testKeys, &t)
		if !ok {
			continue
		}
		at, named := has["name"]
		if !named {
			at = d.place(item)
			d.fail(at, idMissingKey, "a sentence that says what is to happen", "this test has no name")
		}
		if above.Name != "" {
			t.Name = above.Name + ": " + t.Name
		}
		t.at = at
		if t.each != nil {
			if depth > 0 {
				d.fail(has["each"], idUnknownKey, "", "each cannot stand within each")
				continue
			}
			tests = append(tests, d.tests(t.each, t, depth+1)...)
			continue
		}
		d.finishTest(&t)
		tests = append(tests, &t.Test)
	}
	return tests
}

// checkTestNames finds rules and sinks that the table has not.
func checkTestNames(tests []*Test, set *Set) {
	ruleNames, sinkNames := map[string]bool{}, map[string]bool{}
	for _, r := range set.Rules {
		ruleNames[r.Name] = true
	}
	for _, s := range set.Sinks {
		sinkNames[s.Name] = true
	}
	check := func(t *Test, what, id string, used []namePlace, known map[string]bool) {
		for _, u := range used {
			if known[u.name] {
				continue
			}
			hint := ""
			if near := diag.Nearest(u.name, slices.Sorted(maps.Keys(known))); near != "" {
				hint = `did you mean "` + near + `"?`
			}
			t.from.fail(u.at, id, hint, "there is no %s %q in these rules", what, u.name)
		}
	}
	for _, t := range tests {
		check(t, "rule", idUnknownRule, t.ruleAt, ruleNames)
		check(t, "sink", idUnknownSink, t.sinkAt, sinkNames)
	}
}

// checkTestsTwice finds two tests of one file with one name: reports could not tell them apart.
func checkTestsTwice(tests []*Test) {
	type key struct{ file, name string }
	first := map[key]*Test{}
	for _, t := range tests {
		k := key{t.File, t.Name}
		if f := first[k]; f != nil {
			t.from.fail(place{t.Line, 1, 2}, idDuplicateTest, "", "test %q is already on line %d", strings.TrimSpace(t.Name), f.Line)
			continue
		}
		first[k] = t
	}
}
