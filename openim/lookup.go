package openim

import (
	"cmp"
	"slices"
	"strings"
)

var (
	catalogue = slices.Concat(messageCommands, friendCommands, userCommands, groupCommands,
		memberCommands, presenceCommands, pushCommands, conversationCommands)
	wireNames  = indexWireNames(catalogue)  // wire name, today's or older → command
	typedNames = indexTypedNames(catalogue) // lower-case form of what people type → command
)

// Commands returns the whole catalogue in the order of the documentation. The slice and what
// it points to must not be changed.
func Commands() []*Command { return catalogue }

// Lookup finds a command by its wire name, its short name, the wire name without "callback"
// and "Command", or an older wire name (whole or so shortened), in upper or lower case. Looking
// up a wire name as IMServer writes it allocates nothing.
func Lookup(name string) (*Command, bool) {
	if c, ok := wireNames[name]; ok {
		return c, true
	}
	c, ok := typedNames[strings.ToLower(name)]
	return c, ok
}

// Suggest returns the short names nearest to a name that Lookup does not find, nearest first,
// at most three; none when nothing is near.
func Suggest(name string) []string {
	typed := stripped(strings.ToLower(name))
	if typed == "" {
		return nil
	}
	type candidate struct {
		short    string
		distance int
	}
	var near []candidate
	for _, c := range catalogue {
		d := nameDistance(typed, strings.ToLower(c.Short))
		d = min(d, nameDistance(typed, stripped(strings.ToLower(c.Name))))
		if d <= max(2, len(typed)/4) {
			near = append(near, candidate{c.Short, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var names []string
	for _, c := range near[:min(3, len(near))] {
		names = append(names, c.short)
	}
	return names
}

// nameDistance is the edit distance, except that leaving out before or after costs one edit:
// people look for "sendGroupMsg".
func nameDistance(typed, name string) int {
	d := editDistance(typed, name)
	for _, phase := range []string{"before", "after"} {
		if rest, ok := strings.CutPrefix(name, phase); ok && !strings.HasPrefix(typed, phase) {
			d = min(d, 1+editDistance(typed, rest))
		}
	}
	return d
}

// editDistance counts the bytes to insert, delete or replace to turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// stripped takes "callback" and "command" off a lower-case wire name.
func stripped(lower string) string {
	return strings.TrimSuffix(strings.TrimPrefix(lower, "callback"), "command")
}

func indexWireNames(commands []*Command) map[string]*Command {
	index := make(map[string]*Command, 2*len(commands))
	for _, c := range commands {
		for _, wire := range append([]string{c.Name}, c.Older...) {
			index[wire] = c
		}
	}
	return index
}

func indexTypedNames(commands []*Command) map[string]*Command {
	index := make(map[string]*Command, 4*len(commands))
	for _, c := range commands {
		for _, name := range typedForms(c) {
			index[name] = c
		}
	}
	return index
}

// typedForms lists, in lower case, every form of a command's name that Lookup understands.
func typedForms(c *Command) []string {
	forms := []string{strings.ToLower(c.Short)}
	for _, wire := range append([]string{c.Name}, c.Older...) {
		lower := strings.ToLower(wire)
		forms = append(forms, lower, stripped(lower))
	}
	return forms
}
