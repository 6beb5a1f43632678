package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

// A nodeKind says what a node of a YAML document is.
type nodeKind uint8

const (
	scalarNode nodeKind = iota
	nullNode
	mappingNode
	sequenceNode
	aliasNode
	brokenNode // a finding has been made already: whoever reads it says nothing and takes nothing
)

// A nodeStyle says how a scalar is written.
type nodeStyle uint8

const (
	plainStyle nodeStyle = iota
	singleQuoted
	doubleQuoted
	literalBlock // |
	foldedBlock  // >
)

// A node is a part of a YAML document with its place. Aliases stay aliases, so that a small file
// cannot become a large tree.
type node struct {
	kind        nodeKind
	text        string    // of a scalar
	tag         string    // of a scalar, as YAML resolves it: !!str, !!int, !!float, !!bool, !!timestamp
	explicitTag string    // as written, "" when there is none
	style       nodeStyle // of a scalar
	pairs       []pair    // of a mapping
	items       []*node   // of a sequence
	target      *node     // of an alias
	line, col   int       // from 1, in characters
}

// size counts a node and all below it, aliases not followed.
func (n *node) size() int {
	size := 1
	for _, p := range n.pairs {
		size += p.key.size() + p.value.size()
	}
	for _, item := range n.items {
		size += item.size()
	}
	return size
}

// A pair is one key of a mapping with its value.
type pair struct {
	key, value *node
}

// A syntaxError is what the YAML parser says, with the line it names (0 when it names none).
type syntaxError struct {
	line    int
	message string
}

func (e *syntaxError) Error() string { return e.message }

// parseYAML returns the documents of a file: none when it holds nothing but comments.
func parseYAML(data []byte) (documents []*node, err error) {
	// The parser is a port of C code by machine; should it panic, a bad file must not end the process.
	defer func() {
		if p := recover(); p != nil {
			documents, err = nil, &syntaxError{message: "the YAML parser failed on this file"}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, newSyntaxError(err)
		}
		c := converter{anchors: map[*yaml.Node]*node{}}
		documents = append(documents, c.convert(document.Content[0]))
	}
}

var yamlMessage = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func newSyntaxError(err error) *syntaxError {
	m := yamlMessage.FindStringSubmatch(err.Error())
	if m == nil {
		return &syntaxError{message: err.Error()}
	}
	line, _ := strconv.Atoi(m[1]) // "" is 0: no line
	return &syntaxError{line: line, message: m[2]}
}

type converter struct {
	anchors map[*yaml.Node]*node // the parser's node → ours, for aliases
}

// convert makes nodes of the parser's. An anchor stands before its aliases, except within itself,
// so it is entered before its contents are converted.
func (c *converter) convert(y *yaml.Node) *node {
	n := &node{text: y.Value, tag: y.Tag, line: y.Line, col: y.Column}
	c.anchors[y] = n
	if y.Style&yaml.TaggedStyle != 0 {
		n.explicitTag = y.Tag
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = mappingNode
		for i := 0; i+1 < len(y.Content); i += 2 {
			n.pairs = append(n.pairs, pair{c.convert(y.Content[i]), c.convert(y.Content[i+1])})
		}
	case yaml.SequenceNode:
		n.kind = sequenceNode
		for _, item := range y.Content {
			n.items = append(n.items, c.convert(item))
		}
	case yaml.AliasNode:
		n.kind, n.target = aliasNode, c.anchors[y.Alias]
	case yaml.ScalarNode:
		n.style = styleOf(y.Style)
		if y.Tag == "!!null" && n.explicitTag == "" {
			n.kind = nullNode
		}
	default:
		panic(fmt.Sprintf("unexpected kind %d", y.Kind))
	}
	return n
}

func styleOf(s yaml.Style) nodeStyle {
	switch {
	case s&yaml.DoubleQuotedStyle != 0:
		return doubleQuoted
	case s&yaml.SingleQuotedStyle != 0:
		return singleQuoted
	case s&yaml.LiteralStyle != 0:
		return literalBlock
	case s&yaml.FoldedStyle != 0:
		return foldedBlock
	default:
		return plainStyle
	}
}
