package when

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"callboard/rules/formula"
)

// matches returns which texts a text must contain to match a pattern.
func (e *extractor) matches(n *ast.BinaryNode, want bool) formula.Formula {
	v, ok := e.view(n.Left)
	pattern, isText := n.Right.(*ast.StringNode)
	if !ok || !v.isText() || v.view != formula.Plain || !isText {
		return e.miss(n, "it matches no text of the callback by itself", "")
	}
	if !want {
		return e.miss(n, "it only excludes values", "")
	}
	re, err := syntax.Parse(pattern.Value, syntax.Perl)
	if err != nil {
		return e.miss(n, "its pattern is not understood", "")
	}
	f := v.pattern(re.Simplify())
	if f.Op == formula.Anything && !f.Exact {
		return e.miss(n, "its pattern has no text that every match contains", "")
	}
	return f
}

// maxSpelled bounds how many texts a part of a pattern is spelled out as.
const maxSpelled = 64

// pattern returns what a match of re makes necessary.
func (v viewed) pattern(re *syntax.Regexp) formula.Formula {
	parts := []*syntax.Regexp{re}
	for len(parts) == 1 && (parts[0].Op == syntax.OpConcat || parts[0].Op == syntax.OpCapture) {
		parts = parts[0].Sub
	}
	begins, ends := false, false
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		begins, parts = true, parts[1:]
	}
	if len(parts) > 0 && parts[len(parts)-1].Op == syntax.OpEndText {
		ends, parts = true, parts[:len(parts)-1]
	}
	var fs []formula.Formula
	run := spelled{texts: []string{""}}
	first, whole := true, true // whether the run began with the parts, and whether it is all of them
	flush := func(last bool) {
		kind := formula.Contains
		switch {
		case begins && first && ends && last:
			kind = formula.OneOf
		case begins && first:
			kind = formula.HasPrefix
		case ends && last:
			kind = formula.HasSuffix
		}
		f := v.texts(kind, run)
		if !(whole && last) {
			f = f.Inexact()
		}
		fs = append(fs, f)
		run, first = spelled{texts: []string{""}}, false
	}
	for _, part := range parts {
		if next, ok := spell(part); ok {
			if joined, ok := run.then(next); ok {
				run = joined
				continue
			}
			whole = false
			flush(false)
			run = next
			continue
		}
		whole = false
		flush(false)
		fs = append(fs, v.inner(part).Inexact())
	}
	flush(true)
	return formula.AllOf(fs...)
}

// inner returns what a part that cannot be spelled out makes necessary.
func (v viewed) inner(re *syntax.Regexp) formula.Formula {
	switch re.Op {
	case syntax.OpAlternate:
		var fs []formula.Formula
		for _, sub := range re.Sub {
			fs = append(fs, v.inside(sub))
		}
		return formula.SomeOf(fs...)
	case syntax.OpPlus:
		return v.inside(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return v.inside(re.Sub[0])
		}
	case syntax.OpConcat, syntax.OpCapture:
		return v.inside(re)
	case syntax.OpNoMatch:
		return formula.Never
	}
	return formula.Formula{}
}

// inside returns what a part somewhere within a pattern makes necessary. What it says of a beginning or an end holds
// there, too: those of a text are the same everywhere in a pattern.
func (v viewed) inside(re *syntax.Regexp) formula.Formula { return v.pattern(re).Inexact() }

// texts is for the texts that a part is spelled out as. With (?i) they are compared in the folded view.
func (v viewed) texts(kind formula.Kind, s spelled) formula.Formula {
	for _, t := range s.texts {
		if t == "" && kind != formula.OneOf {
			return formula.Always
		}
		if strings.ContainsRune(t, utf8.RuneError) {
			return formula.Formula{} // a pattern's broken character is any broken byte of a text
		}
	}
	if s.folded {
		v.view = formula.Folded
	}
	return v.is(kind, literals{texts: s.texts})
}

// spelled are all the texts that a part of a pattern matches.
type spelled struct {
	texts  []string
	folded bool // and those that differ from them in case only
}

// then returns the texts of a part behind another.
func (s spelled) then(next spelled) (spelled, bool) {
	if len(s.texts)*len(next.texts) > maxSpelled {
		return s, false
	}
	joined := spelled{folded: s.folded || next.folded}
	for _, a := range s.texts {
		for _, b := range next.texts {
			joined.texts = append(joined.texts, a+b)
		}
	}
	if s.folded != next.folded && s.sizable() && next.sizable() {
		return s, false // the part that is not folded would be, and the formula would not be exact
	}
	return joined.fold(), true
}

func (s spelled) sizable() bool { return len(s.texts) > 1 || s.texts[0] != "" }

func (s spelled) fold() spelled {
	if s.folded {
		for i, t := range s.texts {
			s.texts[i] = string(formula.AppendFolded(nil, t))
		}
	}
	return s
}

// spell spells a part out, when it matches few texts.
func spell(re *syntax.Regexp) (spelled, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return spelled{texts: []string{""}}, true
	case syntax.OpLiteral:
		return spelled{texts: []string{string(re.Rune)}, folded: re.Flags&syntax.FoldCase != 0}.fold(), true
	case syntax.OpCapture:
		return spell(re.Sub[0])
	case syntax.OpCharClass:
		return spellClass(re.Rune)
	case syntax.OpConcat:
		all := spelled{texts: []string{""}}
		for _, sub := range re.Sub {
			next, ok := spell(sub)
			if !ok {
				return all, false
			}
			if all, ok = all.then(next); !ok {
				return all, false
			}
		}
		return all, true
	case syntax.OpAlternate:
		return spellAlternate(re.Sub)
	}
	return spelled{}, false
}

func spellAlternate(subs []*syntax.Regexp) (all spelled, ok bool) {
	for i, sub := range subs {
		next, ok := spell(sub)
		if !ok || i > 0 && next.folded != all.folded {
			return all, false
		}
		all.folded = next.folded
		all.texts = append(all.texts, next.texts...)
		if len(all.texts) > maxSpelled {
			return all, false
		}
	}
	return all, true
}

// maxClass bounds the characters of a class that is spelled out.
const maxClass = 10

func spellClass(ranges []rune) (s spelled, ok bool) {
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(s.texts) == maxClass {
				return s, false
			}
			s.texts = append(s.texts, string(r))
		}
	}
	return s, len(s.texts) > 0
}
