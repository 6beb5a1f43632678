package openim

import (
	"maps"
	"slices"
	"strings"
)

// identify sets Name, Command and Source. It reports whether the request names a command.
func (c *Callback) identify(path string) bool {
	path = strings.Trim(path, "/")
	before, last := splitLast(path)
	c.identifyByBody()
	inPath := last != "" && (last == c.Name || namesCommand(last))
	switch {
	case c.Name != "":
	case inPath:
		c.name(last)
	default:
		c.identifyByQuery()
	}
	c.Source = path
	if inPath {
		c.Source = strings.TrimRight(before, "/")
	}
	return c.Name != ""
}

// identifyByBody sets Name and Command, without allocating for today's wire names.
func (c *Callback) identifyByBody() {
	f := c.field("callbackCommand")
	if f == nil || f.raw[0] != '"' {
		return
	}
	name := unquoted(f.raw)
	if known, ok := wireNames[string(name)]; ok && known.Name == string(name) {
		c.Name, c.Command = known.Name, known
		return
	}
	c.name(string(name))
}

// identifyByQuery looks for ?command=, and for a command that was glued to a configured query:
// with ?token=s3 in its URL, IMServer asks for ?token=s3/callback….
func (c *Callback) identifyByQuery() {
	query := c.Query()
	if name := query.Get("command"); name != "" && !strings.Contains(name, "/") {
		c.name(name)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[key] {
			if _, name := splitLast(value); name != value && namesCommand(name) {
				c.name(name)
				return
			}
		}
	}
}

func (c *Callback) name(name string) {
	c.Name = name
	c.Command, _ = Lookup(name)
}

// namesCommand reports whether a path segment is a command rather than part of the source.
func namesCommand(segment string) bool {
	if strings.HasPrefix(segment, "callback") && segment != "callback" {
		return true
	}
	_, ok := Lookup(segment)
	return ok
}

// splitLast splits a path before its last segment.
func splitLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}
