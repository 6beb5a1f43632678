package when

import (
	"regexp"
	"strings"
	"time"

	"callboard/openim"

	"github.com/expr-lang/expr/ast"
)

// desugar rewrites the checked tree into plain comparisons, which the optimiser turns into sets
// and an index can read: constants become literals, short command names wire names, and mentions
// and glob what they stand for. It notes the names that are read and reports whether the tree
// must be checked again.
func (d *draft) desugar() (changed bool) {
	reads := map[string]bool{}
	rewrite(&d.tree.Node, func(p *ast.Node) {
		switch n := (*p).(type) {
		case *ast.IdentifierNode:
			if value, ok := constants()[n.Value]; ok {
				put(p, literal(value))
			}
		case *ast.BinaryNode:
			desugarCommand(n)
			desugarHeader(n.Left, n.Right)
		case *ast.MemberNode:
			desugarHeader(n.Property, n.Node)
		case *ast.BuiltinNode:
			if n.Name == "date" || n.Name == "duration" {
				value, _ := timeLiteral(n)
				put(p, &ast.ConstantNode{Value: value})
				changed = true
			}
		case *ast.CallNode:
			if sugar := d.desugarCall(n); sugar != nil {
				put(p, sugar)
				changed = true
			}
		}
	})
	rewrite(&d.tree.Node, func(p *ast.Node) {
		name := identifier(*p)
		_, isField := d.schema.fields[name]
		if _, isValue := values[name]; isField || isValue {
			reads[name] = true
		}
		if h := function(*p); h == "hourIn" || h == "weekday" {
			reads["now"] = true
		} else if h == "has" {
			reads["raw"] = true
		}
	})
	d.reads = sortedKeys(reads)
	return changed
}

// put replaces a node, keeping its place.
func put(p *ast.Node, n ast.Node) { ast.Patch(p, n) }

func literal(value any) ast.Node {
	if n, ok := value.(int); ok {
		node := &ast.IntegerNode{Value: n}
		node.SetType(intType)
		return node
	}
	node := &ast.StringNode{Value: value.(string)}
	node.SetType(stringType)
	return node
}

// desugarCommand lets command be compared with every form of a command's name.
func desugarCommand(n *ast.BinaryNode) {
	wire := func(other ast.Node) {
		for _, s := range comparedTexts(n.Operator, other) {
			if c, ok := openim.Lookup(s.Value); ok {
				s.Value = c.Name
			}
		}
	}
	if identifier(n.Left) == "command" {
		wire(n.Right)
	}
	if identifier(n.Right) == "command" {
		wire(n.Left)
	}
}

// desugarHeader lets headers be named in any case.
func desugarHeader(name, of ast.Node) {
	if s, ok := name.(*ast.StringNode); ok && identifier(of) == "headers" {
		s.Value = strings.ToLower(s.Value)
	}
}

func (d *draft) desugarCall(n *ast.CallNode) ast.Node {
	switch function(n) {
	case "mentions":
		return d.mentioned(n.Arguments[0])
	case "mentionsAll":
		return d.mentioned(literal(openim.AtAllTag))
	case "glob":
		return globbed(n.Arguments[0], n.Arguments[1].(*ast.StringNode).Value)
	}
	return nil
}

// mentionLists returns the fields that hold mentions: push callbacks call theirs otherwise.
func (s *schema) mentionLists() []string {
	var lists []string
	for _, name := range []string{"atUserList", "atUserIDList"} {
		if _, ok := s.fields[name]; ok {
			lists = append(lists, name)
		}
	}
	return lists
}

// mentioned is user in atUserList, in the list or lists that the rule's callbacks have.
func (d *draft) mentioned(user ast.Node) ast.Node {
	var or ast.Node
	for _, name := range d.schema.mentionLists() {
		in := &ast.BinaryNode{Operator: "in", Left: user, Right: &ast.IdentifierNode{Value: name}}
		if or == nil {
			or = in
		} else {
			or = &ast.BinaryNode{Operator: "||", Left: or, Right: in}
		}
	}
	return or
}

// globbed turns a pattern into the cheapest operator that says the same.
func globbed(text ast.Node, pattern string) ast.Node {
	body := strings.Trim(pattern, "*")
	if strings.ContainsAny(body, "*?") {
		re := regexp.QuoteMeta(pattern)
		re = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(re)
		return &ast.BinaryNode{Operator: "matches", Left: text, Right: &ast.StringNode{Value: "(?s)^" + re + "$"}}
	}
	operator := "=="
	switch open, closed := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*"); {
	case open && closed:
		operator = "contains"
	case open:
		operator = "endsWith"
	case closed:
		operator = "startsWith"
	}
	return &ast.BinaryNode{Operator: operator, Left: text, Right: &ast.StringNode{Value: body}}
}

// timeLiteral reads the argument of date and duration.
func timeLiteral(n *ast.BuiltinNode) (any, error) {
	s := n.Arguments[0].(*ast.StringNode).Value
	if n.Name == "duration" {
		return time.ParseDuration(s)
	}
	var err error
	for _, layout := range []string{time.DateOnly, time.DateTime, time.RFC3339} {
		var t time.Time
		if t, err = time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return nil, err
}
