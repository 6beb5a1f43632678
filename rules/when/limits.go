package when

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser/lexer"
)

// What one expression may be. Lists of literals count for none of it but maxBytes: ten thousand
// group ids cost a look-up no more than ten.
const (
	maxBytes    = 1 << 20  // of source
	maxText     = 16 << 10 // bytes of source beside lists of literals
	maxNodes    = 2000     // parts, beside elements of lists
	maxNesting  = 2        // predicates within predicates
	maxJoins    = 4        // + between texts; with let, each can double a text
	maxTrimmed  = 32       // bytes of the characters that trim takes off
	maxPattern  = 1000     // instructions of a compiled pattern
	maxElements = 100_000  // of a list of literals
)

// What one callback may cost and show. A step is about what it takes to look at one short entry
// of a list, 40 to 400 ns, and up to 1.3 µs for the worst of patterns; charge.go says what else is
// charged. A common pattern of 20 instructions takes 5,000 steps for the longest text.
const (
	evaluationSteps = 20_000    // of one evaluation: twice over the longest list
	callbackSteps   = 200_000   // of all evaluations for one callback
	bytesPerStep    = 256       // of text, for each instruction of a pattern; see charge.go
	entriesPerStep  = 64        // of a list, for in
	jsonPerStep     = 16        // bytes of JSON that are decoded
	mostHasSteps    = 2_000     // of has, which looks along the fields of a body
	memoryBudget    = 50_000    // entries of lists that one evaluation makes
	maxEntries      = 10_000    // of a list that conditions see
	maxString       = 64 << 10  // bytes of a text that conditions see
	maxBuilt        = 1 << 20   // the same where a value is built: what is cut there is lost to the sink
	keptBody        = 256 << 10 // bytes of a body above which its Scope is not used again
)

// checkSize keeps the parser, which recurses, from texts that could exhaust its stack.
func (d *draft) checkSize() bool {
	size := len(d.src.text)
	if size > maxText && size <= maxBytes {
		size -= d.literalLists()
		if size <= maxText {
			return true
		}
		d.addAt(0, 0, "too-long", fmt.Sprintf("%s has %d bytes beside lists, %d are allowed", d.words.one, size, maxText),
			d.words.shorter+", or in [...] instead of many comparisons")
		return false
	}
	if size > maxBytes {
		d.addAt(0, 0, "too-long", fmt.Sprintf("%s has %d bytes, %d are allowed", d.words.one, size, maxBytes), d.words.shorter)
		return false
	}
	return true
}

// literalLists returns how many bytes are in flat lists of literals.
func (d *draft) literalLists() int {
	tokens, bytes := d.src.tokens(), 0
	start := -1
	for i, t := range tokens {
		switch {
		case t.Is(lexer.Bracket, "["):
			start = i
		case t.Is(lexer.Bracket, "]"):
			if start >= 0 {
				bytes += d.src.offset(t.From) - d.src.offset(tokens[start].To)
			}
			start = -1
		case t.Is(lexer.String), t.Is(lexer.Number), t.Is(lexer.Identifier), t.Is(lexer.Operator, ","):
		case t.Is(lexer.Operator, "-") && i+1 < len(tokens) && tokens[i+1].Is(lexer.Number):
		default:
			start = -1
		}
	}
	return bytes
}

// size counts the nodes of a tree without the literals in lists.
func size(n ast.Node) int {
	total := 1
	_, inList := n.(*ast.ArrayNode)
	each(n, func(child *ast.Node) {
		if !inList || !isLiteral(*child) && identifier(*child) == "" {
			total += size(*child)
		}
	})
	return total
}

// checkPattern reports what is wrong with the right side of matches.
func (d *draft) checkPattern(n *ast.BinaryNode) {
	pattern, ok := n.Right.(*ast.StringNode)
	if !ok {
		d.add(n.Right, "pattern-not-constant", "the pattern of matches must be written out as text",
			"a pattern that comes with the callback would be the sender's; use contains, startsWith or in")
		return
	}
	if _, err := regexp.Compile(pattern.Value); err != nil {
		message := "the pattern is not a regular expression: " + err.Error()
		if se, ok := err.(*syntax.Error); ok {
			message = fmt.Sprintf("the pattern is not a regular expression: %s in %q", se.Code, se.Expr)
		}
		d.add(n.Right, "bad-pattern", message, `a special character that is meant as such needs two backslashes: "\\("; or use contains`)
		return
	}
	if n := patternSize(pattern.Value); n > maxPattern {
		d.add(pattern, "bad-pattern", fmt.Sprintf("the pattern is too large: it compiles to %d steps, %d are allowed", n, maxPattern),
			"use smaller repetition counts")
	}
}

// patternSize returns how many instructions a pattern compiles to: what each byte of text costs
// at worst is in proportion to it.
func patternSize(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

// checkRange reports what is wrong with from..to, which is only good for x in from..to.
func (d *draft) checkRange(n *ast.BinaryNode, rightOfIn bool) {
	if !rightOfIn {
		d.add(n, "range-as-list", "a range can only stand at the right of in", "contentType in 101..110")
		return
	}
	for _, end := range []ast.Node{n.Left, n.Right} {
		if !d.isWholeNumber(end) {
			d.add(end, "range-not-constant", "the ends of a range must be numbers", "otherwise use x >= a && x <= b")
		}
	}
}

func (d *draft) isWholeNumber(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return true
	case *ast.UnaryNode:
		_, ok := n.Node.(*ast.IntegerNode)
		return ok
	case *ast.IdentifierNode:
		_, ok := constants()[n.Value].(int)
		return ok
	}
	return false
}
