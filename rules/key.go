package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"callboard/openim"
	"callboard/rules/when"
)

// longestKey bounds a key in bytes: keys are stored with every delivery and shown in lists.
const longestKey = 512

// shortKey makes any text fit to be a key: what is no UTF-8 is replaced, and a longer one becomes its hash.
func shortKey(key string) string {
	key = strings.ToValidUTF8(key, "\ufffd")
	if len(key) <= longestKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// keyNode returns the expression of a key, nil for an empty one and where it cannot be one. It is compiled later, once it
// is known which callbacks it is for.
func (d *decoder) keyNode(n *node, what string) *node {
	n = d.resolve(n)
	switch {
	case n.kind == brokenNode:
	case n.kind != scalarNode:
		d.fail(d.place(n), idWrongType, `several fields are joined by +, within quotes: 'groupID + "/" + sendID'`, "%s is an expression, not a list or a mapping", what)
	case strings.Contains(n.text, "${"):
		d.fail(d.place(n), idReferenceHere, "what a key is made of shows where deliveries are listed", "%s cannot use ${…}", what)
	case strings.TrimSpace(n.text) != "":
		return n
	}
	return nil
}

// compileKey compiles the expression of a key and brings what is wrong with it to its place in the file; of says what it
// belongs to where the place does not.
func (d *decoder) compileKey(n *node, commands []*openim.Command, of string) *when.Key {
	e, ok := d.expand(n)
	if !ok {
		return nil
	}
	expression := strings.TrimSpace(e.value)
	key, problems := d.loading.compiler.CompileKey(expression, commands)
	for _, p := range problems {
		p.Message += of
		d.expressionProblem(n, e, p, strings.Index(e.value, expression))
	}
	return key
}
