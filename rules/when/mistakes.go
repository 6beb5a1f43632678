package when

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// addSyntaxError notes the one place where the parser stopped, with what was probably meant.
func (d *draft) addSyntaxError(err error) {
	var fe *file.Error
	if !errors.As(err, &fe) {
		d.addExprError(err)
		return
	}
	start, end := d.src.place(fe.Location)
	message, hint := d.syntaxMistake(fe, d.src.text[start:end])
	if at := d.strayBar(fe.Location); at >= 0 {
		start, end = at, at+1
		message, hint = "unexpected |", "or is written || or or; | passes a value to a function: content | lower()"
	}
	if strings.Contains(fe.Message, "value out of range") {
		start, end = d.tokenAround(fe.Location)
		message, hint = "the number is beyond 64 bits", ""
	}
	d.addAt(start, end, "syntax", message, hint)
}

// tokenAround returns the place of the token that a location is in.
func (d *draft) tokenAround(l file.Location) (start, end int) {
	for _, t := range d.src.tokens() {
		if t.From <= l.From && l.From < t.To {
			return d.src.place(t.Location)
		}
	}
	return d.src.place(l)
}

// meant says what to write for words and signs of other languages.
var meant = map[string]string{
	"=": "compare with ==", "===": "compare with ==", "!==": "compare with !=", "<>": "compare with !=",
	"&": "and is written && or and", "|": "or is written || or or",
	"AND": "write and in lower case, or &&", "OR": "write or in lower case, or ||", "NOT": "write not in lower case, or !",
	"And": "write and in lower case, or &&", "Or": "write or in lower case, or ||", "Not": "write not in lower case, or !",
	"IN": "write in in lower case", "is": "compare with ==", "IS": "compare with ==", "eq": "compare with ==", "ne": "compare with !=",
	"equals": "compare with ==", "like": `glob(groupID, "support-*"), or contains, startsWith, endsWith`,
	"LIKE": `glob(groupID, "support-*"), or contains, startsWith, endsWith`, "=~": `compare with patterns by matches: content matches "(?i)refund"`,
	"has": `contains for texts, "u1" in atUserList for lists`, "includes": `contains for texts, "u1" in atUserList for lists`,
	"starts_with": "startsWith", "ends_with": "endsWith", "match": "matches", "“": `texts stand in plain quotes: "…" or '…'`,
	"”": `texts stand in plain quotes: "…" or '…'`, "‘": `texts stand in plain quotes: "…" or '…'`, "’": `texts stand in plain quotes: "…" or '…'`,
}

func (d *draft) syntaxMistake(fe *file.Error, text string) (message, hint string) {
	if len(strings.TrimSpace(d.src.text)) == 0 {
		return d.words.one + " is empty", `for example groupID == "g1"; a rule without when matches every callback it is for`
	}
	switch {
	case strings.Contains(fe.Message, "token EOF") || strings.Contains(fe.Message, "unexpected end"):
		return "the expression ends too early", d.missingBracket()
	case strings.Contains(fe.Message, "not terminated"):
		return "a text has no closing quote", `texts stand in plain quotes: "…" or '…', on one line`
	case strings.Contains(fe.Message, "char escape"):
		return `a text has a backslash that means nothing`, `two backslashes make one: "\\d+"; in back quotes a single one does: ` + "`\\d+`"
	case strings.Contains(fe.Message, "wrap predicate"):
		return "unexpected ;", "a predicate is one expression: join with && or ||"
	}
	before := d.tokenBefore(fe.Location)
	if _, end := d.src.place(fe.Location); text == "=" && strings.HasPrefix(d.src.text[end:], "~") {
		text = "=~"
	}
	switch {
	case text == "," || before == ",":
		return "unexpected ,", `lists stand in square brackets: groupID in ["a", "b"]`
	case before == "not" && (text == "==" || text == "="):
		return "unexpected " + text, "compare with !="
	case meant[before+text] != "":
		return "unexpected " + before + text, meant[before+text]
	case (before == "==" || before == "!=") && text == "=":
		return "unexpected " + text, meant[before+text]
	case text == `\`:
		return `unexpected \`, "a backslash can only stand inside quotes"
	}
	return "unexpected " + text, meant[text]
}

func (d *draft) missingBracket() string {
	open := 0
	for _, t := range d.src.tokens() {
		switch {
		case t.Is(lexer.Bracket, "(", "[", "{"):
			open++
		case t.Is(lexer.Bracket):
			open--
		}
	}
	switch {
	case open > 0:
		return "a closing bracket is missing"
	case strings.Contains(d.src.text, "if "):
		return "if needs an else: if a { b } else { c }"
	}
	return "something must follow the last word"
}

// tokenBefore returns the token before a location, "" when there is none or the text has a
// broken one.
func (d *draft) tokenBefore(l file.Location) string {
	before := ""
	for _, t := range d.src.tokens() {
		if t.From >= l.From {
			break
		}
		before = t.Value
	}
	return before
}

// strayBar returns the offset of a | before a syntax error that does not pass a value on: what
// follows it is no call.
func (d *draft) strayBar(l file.Location) int {
	tokens := d.src.tokens()
	for i, t := range tokens {
		if t.From > l.From {
			break
		}
		if t.Is(lexer.Operator, "|") && d.src.token(i+2) != "(" {
			return d.src.offset(t.From)
		}
	}
	return -1
}

// plainWords says messages of expr in this package's words.
func plainWords(message string) string { return typeWords.Replace(message) }

var typeWords = strings.NewReplacer(
	"[]interface {}", "a list", "map[string]interface {}", "an object", "map[string]string", "an object",
	"map[string]bool", "an object", "interface {} is nil", "a missing value", "<nil>", "nothing", "interface {}", "a value",
	"time.Time", "a time", "time.Duration", "a duration",
	"mismatched types", "different types", "interface conversion: ", "", "float64", "number", "unknown", "a value of unknown type",
)
