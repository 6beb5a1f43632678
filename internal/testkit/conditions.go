package testkit

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"
)

// Condition writes a random condition of group messages over every operator, variables, helpers and nested predicates. Most
// compile, many can fail.
func Condition(t *rapid.T) string {
	g := &conditionWriter{t: t}
	return g.condition(4)
}

type conditionWriter struct {
	t      *rapid.T
	lists  int // predicates around
	lets   []string
	number int
}

func (g *conditionWriter) pick(choices ...string) string {
	return rapid.SampledFrom(choices).Draw(g.t, "choice")
}

func (g *conditionWriter) text() string {
	choices := []string{"groupID", "groupID", "sendID", "ex", "text", "content", "source", "command", "lower(groupID)", "lower(content)", "upper(ex)",
		`headers["x-real-ip"]`, "query.key", "groupID[0:1]", `trimPrefix(ex, "a")`, "string(seq)", `(seq == 1 ? groupID : ex)`, `json(ex).x`,
		"data.x", `data[""]`, "raw.groupID", "raw.extra.x", "raw.extra?.y", "first(atUserList)", `split(groupID, "a")[0]`, "groupID + sendID"}
	if g.lists > 0 {
		choices = append(choices, "#", "#", "#", "#")
	}
	return g.pick(append(choices, g.lets...)...)
}

func (g *conditionWriter) literal() string {
	return g.pick(`"a"`, `"ab"`, `"A"`, `""`, `"b"`, `"s"`, `"ſ"`, `"k"`, `"i"`, `"ü"`, `"prod"`, `"refund"`)
}

func (g *conditionWriter) integer() string {
	return g.pick("seq", "status", "contentType", "len(groupID)", "len(content)", "len(atUserList)", "data.y", "raw.seq", "raw.extra.x", "seq + status",
		`indexOf(ex, "b")`, `count(atUserList, # == "a")`, "int(data.y)", "json(ex).y", "seq % status", "len(filter(atUserList, # != \"a\"))")
}

func (g *conditionWriter) condition(depth int) string {
	sub := func() string { return g.condition(depth - 1) }
	kinds := 13
	if depth > 0 {
		kinds = 25
	}
	switch rapid.IntRange(0, kinds).Draw(g.t, "kind") {
	case 0, 1:
		return g.text() + g.pick(" == ", " == ", " != ", " < ") + g.literal()
	case 2:
		return g.literal() + g.pick(" == ", " != ") + g.text()
	case 3:
		return g.text() + g.pick(" == ", " != ") + g.text()
	case 4:
		return g.integer() + g.pick(" == ", " != ", " > ", " <= ", " < ", " >= ") + g.pick("-1", "0", "1", "2", "101", "1.5", "2.0", "9007199254740992")
	case 5:
		return g.pick("1", "2") + g.pick(" == ", " > ", " <= ") + g.integer()
	case 6, 7:
		return g.text() + g.pick(" contains ", " startsWith ", " endsWith ", " not contains ") + g.literal()
	case 8:
		return g.text() + g.pick(" in ", " not in ") + g.pick(`["a", "b"]`, `["a"]`, `["", "x"]`, "atUserList", `[groupID, "a"]`)
	case 9:
		return g.integer() + g.pick(" in ", " not in ") + g.pick("[1, 2]", "[101]", "-1..2", "5..1", "[seq, 3]", "3..3")
	case 10:
		return g.text() + g.pick(" matches ", " not matches ") + g.pick(`"^a"`, `"(?i)A|b"`, `"ü$"`, `"^ab?$"`, `"(?i)s"`, `"(?i)^k$"`, `"a(b|x)"`, `"^(a|b)"`,
			`"(?i)refund|refuse"`, `"[a-c]b"`, `"a.*b"`, `"(?i:a)b"`, `"^$"`, `"a{2,3}"`, `"(a|)b"`, `"\\bab"`, `"(?m)^a"`, `"[^a]"`, `"^a|b$"`)
	case 11:
		return g.pick("true", "false", "mentions(\"a\")", "mentionsAll()", `glob(groupID, "a*")`, `glob(ex, "*b?")`, `has("ex")`, "data.x", "(data.x && true)", "raw.extra.x == true", `groupID == "a" && sendID == "b"`,
			`inCIDR(headers["x-real-ip"], "10.0.0.0/8")`, "sample(0.5, sendID)", `weekday("UTC") == "Fri"`, "now > date(\"2026-01-01\")", "data.x == nil")
	case 12:
		return g.literal() + g.pick(" in ", " not in ") + g.pick("atUserList", "atUserList", "data.x", "headers", "filter(atUserList, # != \"b\")")
	case 13:
		return "len(" + g.text() + ")" + g.pick(" == ", " > ", " <= ", " != ") + g.pick("0", "1", "2", "7")
	case 14, 15, 16:
		return "(" + sub() + g.pick(" && ", " and ") + sub() + ")"
	case 17, 18:
		return "(" + sub() + g.pick(" || ", " or ") + sub() + ")"
	case 19:
		return g.pick("!", "not ") + "(" + sub() + ")"
	case 20:
		return "(" + sub() + g.pick(" == ", " != ") + g.pick("true", "false") + ")"
	case 21:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	case 22, 23:
		if g.lists == 2 {
			return sub()
		}
		outer := g.lets
		list := g.pick("atUserList", "atUserList", `split(ex, "")`, `["a", "b"]`, "data.x", `filter(atUserList, # != "a")`)
		g.lists++
		body := sub()
		g.lists--
		g.lets = outer
		if count := g.pick("", "", "", "count", "len"); count == "count" {
			return "count(" + list + ", " + body + ")" + g.pick(" > 0", " >= 2", " < 1", " == 1")
		} else if count == "len" {
			return "len(filter(" + list + ", " + body + "))" + g.pick(" > 0", " == 0")
		}
		return g.pick("any", "all", "none", "one") + "(" + list + ", " + body + ")"
	case 24:
		g.number++
		name, value, outer := fmt.Sprint("v", g.number), g.text(), g.lets
		g.lets = append(g.lets[:len(g.lets):len(g.lets)], name)
		src := "(let " + name + " = " + value + "; " + sub() + ")"
		g.lets = outer
		return src
	default:
		g.number++
		name := fmt.Sprint("q", g.number)
		return "(let " + name + " = " + sub() + "; " + name + g.pick(" && ", " || ") + sub() + ")"
	}
}

// Body draws the fields of a group message: of the right type, of a wrong one, null, or missing.
func Body(t *rapid.T) map[string]any {
	body := map[string]any{}
	scalar := rapid.OneOf(rapid.SampledFrom(bodyTexts).AsAny(), rapid.IntRange(-2, 5).AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
		rapid.SampledFrom([]any{1.5, 2.0, 9007199254740993}))
	usually := map[string]*rapid.Generator[any]{
		"groupID": rapid.SampledFrom(bodyTexts).AsAny(), "sendID": rapid.SampledFrom(bodyTexts).AsAny(), "ex": rapid.SampledFrom(bodyTexts).AsAny(),
		"seq": rapid.IntRange(-2, 5).AsAny(), "status": rapid.IntRange(-2, 5).AsAny(), "contentType": rapid.SampledFrom([]any{101, 102, 106}),
		"content":    rapid.SampledFrom(bodyTexts).AsAny(),
		"atUserList": rapid.OneOf(rapid.SliceOfN(rapid.SampledFrom(bodyTexts), 0, 4), rapid.SliceOfN(rapid.SampledFrom(bodyTexts), 17, 20)).AsAny(),
		"extra":      rapid.MapOfN(rapid.SampledFrom([]string{"x", "y"}), scalar, 0, 2).AsAny(),
	}
	for _, name := range slices.Sorted(maps.Keys(usually)) {
		usual := usually[name]
		switch rapid.IntRange(0, 9).Draw(t, "how") {
		case 0:
		case 1:
			body[name] = rapid.OneOf(scalar, rapid.SliceOfN(scalar, 0, 2).AsAny()).Draw(t, name)
		default:
			body[name] = usual.Draw(t, name)
		}
	}
	return body
}

var bodyTexts = []string{"", "a", "b", "ab", "A", "AB", "ü", "ſ", "s", "K", "k", "İ", "i", "xabx", "refund",
	`{"x":"a","y":1,"text":"ab"}`, `{"x":{"y":2.0}}`, `{"x":true}`, `{"content":"say Ab"}`}
