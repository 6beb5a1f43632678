package when

import (
	"strconv"
	"strings"
)

// wanted says what would have made the comparison come out so: "sales-…", one of 1, 2.
func (c *simple) wanted(outcome bool) string {
	if outcome == c.negated {
		return c.unwanted()
	}
	one := ""
	if len(c.words) > 0 {
		one = c.words[0]
	}
	switch c.operator {
	case "":
		return "true"
	case "==":
		return one
	case "<":
		return "less than " + one
	case "<=":
		return "at most " + one
	case ">":
		return "more than " + one
	case ">=":
		return "at least " + one
	case "in":
		if len(c.values) == 1 {
			return one
		}
		return "one of " + c.several()
	case "..":
		return c.words[0] + " to " + c.words[1]
	case "has":
		return "one with " + one
	case "startsWith":
		return strings.TrimSuffix(one, `"`) + `…"`
	case "endsWith":
		return `"…` + strings.TrimPrefix(one, `"`)
	case "contains":
		return `"…` + strings.Trim(one, `"`) + `…"`
	}
	return "a match of " + one
}

// unwanted says what would have made it come out as the opposite of what it asks.
func (c *simple) unwanted() string {
	opposite := map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
	positive := *c
	positive.negated = false
	if o := opposite[c.operator]; o != "" {
		positive.operator = o
		return positive.wanted(true)
	}
	switch c.operator {
	case "":
		return "false"
	case "in":
		if len(c.values) > 1 {
			return "none of " + c.several()
		}
	case "has":
		return "one without " + c.words[0]
	case "matches":
		return "no match of " + c.words[0]
	}
	return "anything but " + positive.wanted(true)
}

func (c *simple) several() string {
	text := strings.Join(c.words, ", ")
	if n := len(c.values); n > len(c.words) {
		text += ", … " + strconv.Itoa(n) + " in all"
	}
	return text
}
