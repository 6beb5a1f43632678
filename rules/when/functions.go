package when

import (
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"
)

// A Doc describes a function for the manual and for hints.
type Doc struct {
	Name    string
	Usage   string
	Summary string // one sentence
}

// Functions returns the functions that conditions may call, helpers first.
func Functions() []Doc {
	var docs []Doc
	for _, f := range functions {
		docs = append(docs, f.Doc)
	}
	return append(docs, builtins...)
}

// A helper is a function that this package adds to the language.
type helper struct {
	Doc
	signature any // what calls are checked by

	// check tells what is wrong with a call's constant arguments, and which of them it is.
	check func(c *call) (argument int, problem string)
	// make returns the Go function that does the work, given the call with its checked constants,
	// and the arguments that remain. Nil: desugar rewrites the call.
	make func(c *call) (fn any, args []ast.Node)
}

// A call is a call of a helper.
type call struct {
	args []ast.Node
}

// text returns an argument that must be a text literal.
func (c *call) text(i int) (string, bool) {
	if i >= len(c.args) {
		return "", false
	}
	s, ok := c.args[i].(*ast.StringNode)
	if !ok {
		return "", false
	}
	return s.Value, true
}

var functions = []helper{
	{
		Doc:       Doc{"mentions", `mentions("u1")`, "Whether the message mentions this user; mentionsAll asks about everybody."},
		signature: new(func(string) bool),
	},
	{
		Doc:       Doc{"mentionsAll", `mentionsAll()`, "Whether the message mentions everybody."},
		signature: new(func() bool),
	},
	{
		Doc:       Doc{"has", `has("ex")`, "Whether the body has this field and it is not null."},
		signature: new(func(string) bool),
		make:      func(c *call) (any, []ast.Node) { return inScope{"__has", new(func(any) bool)}, c.args },
	},
	{
		Doc:       Doc{"glob", `glob(groupID, "support-*")`, "Whether all of a text fits a pattern: * is any text, ? any one character."},
		signature: new(func(string, string) bool),
		check: func(c *call) (int, string) {
			_, ok := c.text(1)
			return 1, unless(ok, "the pattern must be written out as text")
		},
	},
	{
		Doc:       Doc{"json", `json(ex).level`, "A text decoded as JSON, nil when it is none; members that are missing are nil."},
		signature: new(func(string) any),
		make:      func(c *call) (any, []ast.Node) { return inScope{"__json", new(func(any) any)}, c.args },
	},
	{
		Doc: Doc{"sample", `sample(0.1, sendID)`,
			"Whether the key is in this share of all keys; the same key always gets the same answer, on every machine."},
		signature: new(func(float64, string) bool),
		check: func(c *call) (int, string) {
			share, ok := shareOf(c)
			return 0, unless(ok && share >= 0 && share <= 1, "the share must be a number between 0 and 1")
		},
		make: func(c *call) (any, []ast.Node) {
			share, _ := shareOf(c)
			return func(key any) bool { return sampled(share, key) }, c.args[1:]
		},
	},
	{
		Doc:       Doc{"inCIDR", `inCIDR(headers["x-real-ip"], "10.0.0.0/8", "fd00::/8")`, "Whether an IP address is in one of the networks; false when it is no address."},
		signature: new(func(string, string, ...string) bool),
		check:     checkNetworks,
		make: func(c *call) (any, []ast.Node) {
			networks := networksOf(c)
			return func(ip any) bool { return inNetworks(networks, ip) }, c.args[:1]
		},
	},
	{
		Doc:       Doc{"hourIn", `hourIn("09:00", "18:00", "Asia/Shanghai")`, "Whether now is in these hours of the day there: from the first up to the second, over midnight when the second is earlier."},
		signature: new(func(string, string, string) bool),
		check:     checkHours,
		make: func(c *call) (any, []ast.Node) {
			from, to, zone := hoursOf(c)
			return func(now time.Time) bool { return inHours(from, to, now.In(zone)) }, []ast.Node{loadNow()}
		},
	},
	{
		Doc:       Doc{"weekday", `weekday("Asia/Shanghai") in ["Sat", "Sun"]`, "The day of the week there: Mon, Tue, Wed, Thu, Fri, Sat or Sun."},
		signature: new(func(string) string),
		check:     func(c *call) (int, string) { return 0, checkZone(c, 0) },
		make: func(c *call) (any, []ast.Node) {
			zone := zoneOf(c, 0)
			return func(now any) any { return weekdays[now.(time.Time).In(zone).Weekday()] }, []ast.Node{loadNow()}
		},
	},
}

// builtins are the functions of expr itself that conditions may call. The others make lists or
// texts that grow, order lists, or read the clock or the disk.
var builtins = []Doc{
	{"len", `len(atUserList)`, "How many entries a list has, or characters a text."},
	{"any", `any(atUserList, # startsWith "bot-")`, "Whether the predicate holds for at least one entry, which it calls #."},
	{"all", `all(atUserList, # startsWith "bot-")`, "Whether the predicate holds for every entry; true of an empty list."},
	{"none", `none(atUserList, # startsWith "bot-")`, "Whether the predicate holds for no entry; true of an empty list."},
	{"one", `one(atUserList, # startsWith "bot-")`, "Whether the predicate holds for exactly one entry."},
	{"count", `count(atUserList, # startsWith "bot-")`, "For how many entries the predicate holds."},
	{"filter", `filter(atUserList, # startsWith "bot-")`, "The entries for which the predicate holds."},
	{"first", `first(atUserList)`, "A list's first entry, nil when it is empty."},
	{"last", `last(atUserList)`, "A list's last entry, nil when it is empty."},
	{"lower", `lower(content)`, "A text in lower case."},
	{"upper", `upper(content)`, "A text in upper case."},
	{"trim", `trim(content)`, "A text without the white space around it, or without the characters of a second text."},
	{"trimPrefix", `trimPrefix(groupID, "g-")`, "A text without this beginning."},
	{"trimSuffix", `trimSuffix(groupID, "-g")`, "A text without this end."},
	{"hasPrefix", `hasPrefix(groupID, "g-")`, "The same as startsWith."},
	{"hasSuffix", `hasSuffix(groupID, "-g")`, "The same as endsWith."},
	{"indexOf", `indexOf(content, "@")`, "Where a text first has another, counted in bytes from 0; -1 when it has not."},
	{"lastIndexOf", `lastIndexOf(content, "@")`, "Where a text last has another, counted in bytes from 0; -1 when it has not."},
	{"split", `split(groupID, "-")`, "A text cut at every separator."},
	{"int", `int(data.level)`, "A number or a text of digits as an integer."},
	{"float", `float(data.score)`, "A number or a text of digits as a number with a fraction."},
	{"string", `string(contentType)`, "A number, text or boolean as text."},
	{"type", `type(data.level)`, "The name of a value's type: nil, bool, int, float, string, array or map."},
	{"abs", `abs(seq) > 5`, "A number without its sign."},
	{"ceil", `ceil(float(data.score)) == 3`, "A number rounded up."},
	{"floor", `floor(float(data.score)) == 3`, "A number rounded down."},
	{"round", `round(float(data.score)) == 3`, "A number rounded."},
	{"duration", `now - date("2026-01-01") > duration("24h")`, "A span of time, written out."},
	{"date", `now > date("2026-01-01")`, "A date and time, written out."},
}

// valueFunctions are those that only expressions that build a value may call: what they make counts against its bounds.
var valueFunctions = []Doc{
	{"map", `map(atUserList, {{"id": #}})`, "A list with a value made of each entry, which it calls #."},
	{"join", `join(atUserList, ",")`, "The texts of a list as one, with a few characters between them."},
}

// ValueFunctions returns the functions that expressions which build a value may call beside Functions.
func ValueFunctions() []Doc { return slices.Clone(valueFunctions) }

var (
	helperNamed        = indexed(functions, func(h helper) string { return h.Name })
	builtinNamed       = indexed(builtins, func(d Doc) string { return d.Name })
	valueFunctionNamed = indexed(valueFunctions, func(d Doc) string { return d.Name })
)

func indexed[T any](list []T, name func(T) string) map[string]*T {
	index := make(map[string]*T, len(list))
	for i := range list {
		index[name(list[i])] = &list[i]
	}
	return index
}

func unless(ok bool, problem string) string {
	if ok {
		return ""
	}
	return problem
}
