package when

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm"
)

// A Part is a part of a condition with its value, for explanations.
type Part struct {
	Depth      int    // of nesting, 0 for the whole
	Text       string // the part's source
	Start, End int    // where it stands: byte offsets into the source of the condition; equal for a field that a helper reads
	Value      string // its value as text: true, false, "g-1", [], error: …, unknown; long ones are cut
	Err        bool   // whether Value is an error
	Truth      Truth
	Skipped    bool   // the evaluation ended before it: what it would have been changes nothing, nor does its error
	Missing    bool   // one of the least comparisons that would have to come out otherwise for the condition to be true
	Wanted     string // of those, where it is simple, what would have made it so: "sales-…", one of 1, 2; else ""
	IsField    bool   // it is only read by the comparison above it
}

// A Truth is what a part of a condition comes to.
type Truth uint8

// The truths. An operand of && || or not, and the whole, are True, False or Unknown.
const (
	NoTruth Truth = iota // a value that is compared, neither true nor false
	True
	False
	Unknown // it failed, or depends on what is not known
)

// String returns "true", "false", "unknown", or "" for NoTruth.
func (t Truth) String() string { return [...]string{"", "true", "false", "unknown"}[t] }

// An explainable is a condition taken apart.
type explainable struct {
	parts  []part // the whole first
	joints *joint // nil when the condition has no parts
	placed map[*joint]placed
}

// A part is a part of a condition with its own program.
type part struct {
	Part
	program *vm.Program // nil: what is below it says what it comes to
	reads   []string
	slots   []slot
	simple  *simple // nil: it is no simple comparison
}

// placed says where the parts of a joint are. Of what is written out there is none.
type placed struct{ self, end int }

// Explain evaluates every part of a condition for itself: its operands of && || not ?: and let, and the
// fields they compare. Each part has a budget of its own, which takes nothing from the callback's.
//
// unknown names what nothing is known of, as in "headers": what reads that is Unknown, and the condition is Unknown
// exactly where no part that is known decides it. "body" stands for every field, text, data and raw.
func (s *Scope) Explain(c *Cond, unknown ...string) []Part {
	x := c.explained()
	e := explanation{scope: s, of: c, explainable: x, parts: make([]Part, len(x.parts)), came: map[*joint]outcomes{}, unknown: unknown}
	for i := range x.parts {
		e.parts[i] = x.parts[i].Part
		s.fillLeftOut(x.parts[i].slots)
	}
	whole := anything
	if x.joints != nil {
		whole = e.comeTo(x.joints, false)
	}
	if !e.isUnknown(c.reads) { // then the condition itself knows best: it may be out of steps where no part is
		whole = e.run(0, c.program)
	}
	if whole.truth() == NoTruth {
		whole = comesFalse // as Eval has it
	}
	e.conclude(0, whole)
	if whole != comesTrue && x.joints != nil {
		e.mark()
	}
	return e.parts
}

// fillLeftOut fills fields that no program of the table reads: the optimiser has left out the comparison of one beside a literal
// that decides.
func (s *Scope) fillLeftOut(slots []slot) {
	for i := range slots {
		if _, filled := s.variables[slots[i].key]; !filled {
			s.fill(&slots[i])
			s.spoilt = true
		}
	}
}

// Truth returns what a condition comes to, with the same unknown names as Explain, and why it failed. It costs no more than Eval
// where the condition reads nothing unknown, and takes nothing from the callback's budget.
func (s *Scope) Truth(c *Cond, unknown ...string) (Truth, error) {
	total := s.total
	defer func() { s.total = total }()
	s.total = callbackSteps
	if (&explanation{unknown: unknown}).isUnknown(c.reads) {
		return s.Explain(c, unknown...)[0].Truth, nil
	}
	matched, err := s.Eval(c)
	return truthOf(matched, err), err
}

func truthOf(v any, err error) Truth { return outcomeOf(v, err).truth() }

func outcomeOf(v any, err error) outcomes {
	truth, isTruth := v.(bool)
	switch {
	case err != nil:
		return fails
	case isTruth && truth:
		return comesTrue
	case isTruth:
		return comesFalse
	case v == nil:
		return comesNil
	}
	return comesOdd
}

// maxShown bounds a value's text, in runes.
const maxShown = 120

// show writes a value the way a condition would, cut short.
func show(v any) string {
	text := showWhole(v, 3)
	if utf8.RuneCountInString(text) <= maxShown {
		return text
	}
	return string([]rune(text)[:maxShown-1]) + "…"
}

// showWhole writes a value; lists and objects down to some depth, and only what can be shown.
func showWhole(v any, depth int) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		if len(v) > 4*maxShown {
			v = strings.ToValidUTF8(v[:4*maxShown], "")
		}
		return strconv.Quote(v)
	case time.Time:
		return v.Format(time.RFC3339)
	case []any:
		return "[" + showEntries(len(v), depth, func(i int) string { return showWhole(v[i], depth-1) }) + "]"
	case []string: // of split
		return "[" + showEntries(len(v), depth, func(i int) string { return showWhole(v[i], depth-1) }) + "]"
	case map[string]any:
		keys := sortedKeys(v)
		return "{" + showEntries(len(v), depth, func(i int) string {
			return keys[i] + ": " + showWhole(v[keys[i]], depth-1)
		}) + "}"
	default:
		return fmt.Sprint(v)
	}
}

func showEntries(n, depth int, entry func(int) string) string {
	const shown = 10
	if depth == 0 && n > 0 {
		return "…"
	}
	var entries []string
	for i := range min(n, shown) {
		entries = append(entries, entry(i))
	}
	if n > shown {
		entries = append(entries, fmt.Sprintf("… %d in all", n))
	}
	return strings.Join(entries, ", ")
}
