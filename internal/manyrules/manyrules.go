// Package manyrules makes big rule sets and callbacks to go with them, for benchmarks and tests: the same for the same
// seed, of the shapes that teams write, and without a finding.
//
// New makes a Set; Set.Files writes it as rules files, Set.Bodies makes callbacks of which some match.
package manyrules

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A Mix says what the conditions of a Set look like.
type Mix uint8

// The mixes. Group and user ids grow with the rules: each rule is somebody's.
const (
	// Selective rules go by group, by a list of groups, or by who is mentioned.
	Selective Mix = iota
	// Realistic is 30 % one group, 20 % one group and two more clauses, 22 % a list of 3 to 10 groups, 8 % two groups joined
	// by or, 10 % who is mentioned, 4 % contained text, 3 % a pattern in any case, 3 % lengths.
	Realistic
	// Hard rules name only fields that have few values, so that no single one selects.
	Hard
)

// A Rule is one rule of a Set.
type Rule struct {
	Name      string
	Callbacks []string // short names
	When      string

	does []string // lines of YAML: what it asks for
}

// A Set is many rules. It is read-only.
type Set struct {
	Mix   Mix
	Rules []Rule

	seed uint64
}

// New makes n rules.
func New(mix Mix, n int, seed uint64) *Set {
	s := &Set{Mix: mix, Rules: make([]Rule, n), seed: seed}
	m := maker{Rand: rand.New(rand.NewPCG(seed, uint64(mix))), n: n}
	for i := range s.Rules {
		r := &s.Rules[i]
		switch mix {
		case Selective:
			m.selective(r)
		case Realistic:
			m.realistic(r)
		case Hard:
			m.hard(r)
		}
		r.Name = fmt.Sprintf("rule-%06d", i)
		m.outcome(r)
	}
	return s
}

// A maker draws rules and callbacks for a set of n rules.
type maker struct {
	*rand.Rand
	n int
}

var (
	groupMessages = [][]string{{"beforeSendGroupMsg"}, {"beforeSendGroupMsg"}, {"afterSendGroupMsg"}, {"beforeSendGroupMsg", "afterSendGroupMsg"}}
	messages      = [][]string{{"beforeSendGroupMsg"}, {"beforeSendSingleMsg"}, {"beforeSendSingleMsg", "beforeSendGroupMsg"}, {"afterSendSingleMsg", "afterSendGroupMsg"}}
	contentTypes  = []string{"Text", "Picture", "Voice", "Video", "File", "AtText", "Merger", "Card", "Location", "Custom", "Quote", "AdvancedText"}
	platforms     = []string{"IOS", "Android", "Windows", "OSX", "Web", "MiniWeb", "Linux"}
)

func pick[T any](m maker, from []T) T { return from[m.IntN(len(from))] }

// percent is true in p of a hundred cases.
func (m maker) percent(p int) bool { return m.IntN(100) < p }

func (m maker) group() string { return fmt.Sprintf("g-%d", m.IntN(m.n)) }
func (m maker) user() string  { return fmt.Sprintf("u-%d", m.IntN(m.n)) }

// keyword is a word that hardly any text holds: of those with a rule about text, each has about one.
func (m maker) keyword() string { return fmt.Sprintf("keyword%d", m.IntN(max(10, m.n/20))) }

func (m maker) groups() string {
	list := make([]string, 3+m.IntN(8))
	for i := range list {
		list[i] = `"` + m.group() + fmt.Sprintf(`-%d"`, i) // no group twice in one list
	}
	list[0] = `"` + m.group() + `"`
	return "[" + strings.Join(list, ", ") + "]"
}

func (m maker) mention() string {
	if m.percent(50) {
		return fmt.Sprintf("%q in atUserList", m.user())
	}
	return fmt.Sprintf("mentions(%q)", m.user())
}

func (m maker) twoContentTypes() string {
	i := m.IntN(len(contentTypes))
	return "[" + contentTypes[i] + ", " + contentTypes[(i+1+m.IntN(len(contentTypes)-1))%len(contentTypes)] + "]"
}

func (m maker) selective(r *Rule) {
	r.Callbacks = pick(m, groupMessages)
	switch p := m.IntN(100); {
	case p < 60:
		r.When = fmt.Sprintf("groupID == %q", m.group())
	case p < 85:
		r.When = "groupID in " + m.groups()
	default:
		r.When = m.mention()
	}
}

func (m maker) realistic(r *Rule) {
	r.Callbacks = pick(m, groupMessages)
	switch p := m.IntN(100); {
	case p < 30:
		r.When = fmt.Sprintf("groupID == %q", m.group())
	case p < 50:
		r.When = fmt.Sprintf("groupID == %q && contentType in %s && senderPlatformID != %s", m.group(), m.twoContentTypes(), pick(m, platforms))
	case p < 72:
		r.When = "groupID in " + m.groups()
	case p < 80:
		r.When = fmt.Sprintf("(groupID == %q || groupID == %q) && contentType in %s", m.group(), m.group(), m.twoContentTypes())
	case p < 90:
		r.When = m.mention()
	case p < 94:
		r.Callbacks = pick(m, messages)
		r.When = fmt.Sprintf("text contains %q", m.keyword())
	case p < 97:
		r.Callbacks = pick(m, messages)
		r.When = fmt.Sprintf(`text matches "(?i)%s|refund.*%s"`, m.keyword(), m.keyword())
	default:
		r.When = fmt.Sprintf("len(text) > %d && len(atUserList) > %d", 200+m.IntN(4000), 5+m.IntN(40))
	}
}

func (m maker) hard(r *Rule) {
	r.Callbacks = []string{pick(m, []string{"beforeSendGroupMsg", "afterSendGroupMsg", "beforeSendSingleMsg", "afterSendSingleMsg"})}
	r.When = fmt.Sprintf("contentType in %s && senderPlatformID == %s", m.twoContentTypes(), pick(m, platforms))
	if m.percent(40) {
		r.When += fmt.Sprintf(" && msgFrom == %d", pick(m, []int{100, 200}))
	}
	r.When += fmt.Sprintf(" && len(text) > %d", m.IntN(300))
}

// outcome gives a rule what it does: on before callbacks 15 % refuse, 25 % ask sinks, the others notify, as all do on
// after callbacks.
func (m maker) outcome(r *Rule) {
	before := strings.HasPrefix(r.Callbacks[len(r.Callbacks)-1], "before") && strings.HasPrefix(r.Callbacks[0], "before")
	switch p := m.IntN(100); {
	case before && p < 15:
		r.does = []string{fmt.Sprintf(`reply: {refuse: {code: %d, message: "Not here, says %s"}}`, 20100+m.IntN(900), r.Name)}
	case before && p < 30:
		r.does = []string{fmt.Sprintf("await: {sinks: [%s], deadline: %dms}", pick(m, asked), 200+100*m.IntN(10))}
	case before && p < 40:
		i := m.IntN(len(asked))
		r.does = []string{
			"await:",
			fmt.Sprintf("  sinks: [%s, %s]", asked[i], asked[(i+1)%len(asked)]),
			"  policy: " + pick(m, []string{"all", "any", "first", "{primary: " + asked[i] + "}"}),
			"  on_failure: allow",
			fmt.Sprintf("notify: [%s]", pick(m, notified)),
		}
	case p < 80:
		r.does = []string{fmt.Sprintf("notify: [%s]", pick(m, notified))}
	default:
		i := m.IntN(len(notified))
		r.does = []string{fmt.Sprintf("notify: [%s, %s]", notified[i], notified[(i+1)%len(notified)])}
	}
	if m.percent(10) {
		r.does = append(r.does, fmt.Sprintf("priority: %d", m.IntN(100)))
	}
}
