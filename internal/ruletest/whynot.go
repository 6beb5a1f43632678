package ruletest

import (
	"strings"

	"callboard/rules/when"
)

// whyNot returns the parts of a condition that kept it from being true, with the values that they compare: of an operand
// that has operands of its own only those, down to where there are none.
func whyNot(parts []when.Part) []string {
	var lines []string
	for i := range parts {
		p := &parts[i]
		if p.Truth == when.NoTruth || p.Truth == when.True && p.Depth > 0 || len(operands(parts, i)) > 0 {
			continue
		}
		line := oneLine(p.Text) + " is " + p.Truth.String()
		var values []string
		for _, v := range below(parts, i) {
			if v.Truth == when.NoTruth && v.Depth == p.Depth+1 {
				values = append(values, oneLine(v.Text)+" = "+v.Value)
			}
		}
		if len(values) > 0 {
			line += "   (" + strings.Join(values, ", ") + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// below returns what stands under the i-th part.
func below(parts []when.Part, i int) []when.Part {
	end := i + 1
	for end < len(parts) && parts[end].Depth > parts[i].Depth {
		end++
	}
	return parts[i+1 : end]
}

// operands returns the parts right under the i-th that are true, false or unknown themselves.
func operands(parts []when.Part, i int) []when.Part {
	var found []when.Part
	for _, p := range below(parts, i) {
		if p.Truth != when.NoTruth && p.Depth == parts[i].Depth+1 {
			found = append(found, p)
		}
	}
	return found
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
