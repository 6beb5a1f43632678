package when

import (
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// A source is an expression's text with its tokens, to tell where things stand. The parser gives
// each node one token only, and counts in runes. Nothing is read before it is asked for: most
// conditions have no problem to point at.
type source struct {
	text    string
	lexed   []lexer.Token // without the end of file
	offsets []int         // rune → byte offset, with one more for the end
}

// tokens returns the text's tokens, none when one is broken.
func (s *source) tokens() []lexer.Token {
	if s.lexed == nil {
		s.lexed, _ = lexer.Lex(file.NewSource(s.text))
		s.lexed = slices.DeleteFunc(s.lexed, func(t lexer.Token) bool { return t.Kind == lexer.EOF })
	}
	return s.lexed
}

// offset turns a place in runes into one in bytes.
func (s *source) offset(runes int) int {
	if s.offsets == nil {
		for i := range s.text {
			s.offsets = append(s.offsets, i)
		}
		s.offsets = append(s.offsets, len(s.text))
	}
	return s.offsets[min(max(runes, 0), len(s.offsets)-1)]
}

// place turns a location into byte offsets, at least one character wide where there is one.
func (s *source) place(l file.Location) (start, end int) {
	start, end = s.offset(l.From), s.offset(l.To)
	if start == len(s.text) && start > 0 {
		_, size := utf8.DecodeLastRuneInString(s.text)
		start -= size
	}
	if end <= start {
		_, size := utf8.DecodeRuneInString(s.text[start:])
		end = start + size
	}
	return start, end
}

// at returns the number of the token at a location, -1 when there is none.
func (s *source) at(l file.Location) int {
	tokens := s.tokens()
	i := sort.Search(len(tokens), func(i int) bool { return tokens[i].From >= l.From })
	if i == len(tokens) || tokens[i].From != l.From || l.To <= l.From {
		return -1
	}
	return i
}

// token returns the value of the i-th token, "" beyond both ends.
func (s *source) token(i int) string {
	if i < 0 || i >= len(s.tokens()) {
		return ""
	}
	return s.tokens()[i].Value
}

// extent returns where a node of the parser's tree stands, from its first byte to past its last.
func (s *source) extent(n ast.Node) (start, end int) {
	first, last := s.spread(n)
	if first < 0 {
		return s.place(n.Location())
	}
	first, last = s.balance(first, last)
	return s.offset(s.tokens()[first].From), s.offset(s.tokens()[last].To)
}

// of returns the text of a node.
func (s *source) of(n ast.Node) string {
	start, end := s.extent(n)
	return s.text[start:end]
}

// spread returns the first and the last token that n or a descendant owns; -1, -1 for none.
func (s *source) spread(n ast.Node) (first, last int) {
	first, last = s.own(n)
	each(n, func(child *ast.Node) {
		f, l := s.spread(*child)
		if f < 0 {
			return
		}
		if first < 0 || f < first {
			first = f
		}
		last = max(last, l)
	})
	if c, ok := n.(*ast.ConditionalNode); ok && !c.Ternary && s.token(first-1) == "if" {
		first--
	}
	return first, last
}

var joining = []string{"&&", "and", "||", "or"}

// own returns the tokens that a node has beside its children's.
func (s *source) own(n ast.Node) (first, last int) {
	i := s.at(n.Location())
	if i < 0 {
		return -1, -1
	}
	if b, ok := n.(*ast.BinaryNode); ok && slices.Contains(joining, s.token(i)) && !slices.Contains(joining, b.Operator) {
		return -1, -1 // made by the optimiser, of the left of x && true
	}
	switch n := n.(type) {
	case *ast.ConditionalNode, *ast.PairNode: // located at a neighbour
		return -1, -1
	case *ast.CallNode, *ast.BuiltinNode:
		if s.token(i+1) == "(" {
			return i, i + 1
		}
	case *ast.VariableDeclaratorNode:
		return i - 1, i
	case *ast.PointerNode:
		if n.Name != "" {
			return i, i + 1
		}
	}
	return i, i
}

// balance widens a run of tokens until every bracket in it has its partner.
func (s *source) balance(first, last int) (int, int) {
	tokens := s.tokens()
	isBracket := func(i int, brackets ...string) bool {
		return tokens[i].Kind == lexer.Bracket && slices.Contains(brackets, tokens[i].Value)
	}
	depth, lowest := 0, 0
	for i := first; i <= last; i++ {
		if isBracket(i, "(", "[", "{") {
			depth++
		} else if isBracket(i, ")", "]", "}") {
			depth--
			lowest = min(lowest, depth)
		}
	}
	for missing := -lowest; missing > 0 && first > 0; {
		first--
		if isBracket(first, "(", "[", "{") {
			missing--
		} else if isBracket(first, ")", "]", "}") {
			missing++
		}
	}
	for open := depth - lowest; open > 0 && last < len(tokens)-1; {
		last++
		if isBracket(last, ")", "]", "}") {
			open--
		} else if isBracket(last, "(", "[", "{") {
			open++
		}
	}
	return first, last
}
