package rules

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"callboard/openim"
)

// FolderFile is the name of the file, at the root of a rules folder, that gives files to teams. It is no rules file.
const FolderFile = "callboard.yaml"

// isFolderFile reports whether a file is the settings of its folder.
func isFolderFile(name string) bool { return path.Base(filepath.ToSlash(name)) == FolderFile }

// findFolder finds the settings of the folder among its files.
func (l *loader) findFolder(files []*fileDraft) {
	var found *fileDraft
	for _, f := range files {
		if isFolderFile(f.name) && (found == nil || len(f.name) < len(found.name)) {
			found = f
		}
	}
	if found == nil {
		return
	}
	l.root, l.folder = path.Dir(filepath.ToSlash(found.name)), found.folder
	for _, f := range files {
		switch {
		case f == found:
		case isFolderFile(f.name):
			f.decoder.fail(place{}, idMisplaced, "the whole folder has one, "+found.name, FolderFile+" belongs to the root of the rules folder")
		case l.path(f.name) == filepath.ToSlash(f.name) && l.root != ".":
			found.decoder.fail(place{}, idMisplaced, "", FolderFile+" belongs to the root of the rules folder, and %s is not below it", f.name)
			return
		}
	}
}

// path returns where a file stands below the folder that has settings.
func (l *loader) path(name string) string {
	return strings.TrimPrefix(filepath.ToSlash(name), l.root+"/")
}

// A folderDraft is the settings of the folder while they are read.
type folderDraft struct {
	from   *decoder
	teams  []*teamDraft
	refuse bool // unowned: refuse
}

// A teamDraft is what belongs to a team, and what its rules may do. What is not given is not limited.
type teamDraft struct {
	from      *decoder
	name      string
	line      int
	at        place
	has       map[string]place
	files     []pattern
	callbacks []*openim.Command
	unknown   []string // callbacks that the catalogue lacks
	sinks     []pattern
	groups    []pattern
	powers    []string
	least     int
	most      int
}

// A pattern is a text in which * stands for any characters.
type pattern struct {
	text    string
	at      place
	matches *regexp.Regexp
}

var folderKeys = keys[folderDraft]{
	what: FolderFile,
	known: []key[folderDraft]{
		{"owners", (*decoder).owners},
		{"unowned", func(d *decoder, n *node, f *folderDraft) {
			choice(d, n, "unowned", unownedWords, []bool{false, true}, &f.refuse)
		}},
	},
}

var unownedWords = []string{"allow", "refuse"}

var teamKeys = keys[teamDraft]{
	what: "a team",
	known: []key[teamDraft]{
		{"files", func(d *decoder, n *node, t *teamDraft) { t.files = d.patterns(n, "files", filePattern) }},
		{"callbacks", (*decoder).teamCallbacks},
		{"sinks", func(d *decoder, n *node, t *teamDraft) { t.sinks = d.patterns(n, "sinks", namePattern) }},
		{"groups", func(d *decoder, n *node, t *teamDraft) { t.groups = d.patterns(n, "groups", groupPattern) }},
		{"powers", (*decoder).powers},
		{"priority", func(d *decoder, n *node, t *teamDraft) { readMapping(d, n, priorityKeys, t) }},
	},
}

var priorityKeys = keys[teamDraft]{
	what: "priority",
	known: []key[teamDraft]{
		{"min", func(d *decoder, n *node, t *teamDraft) {
			d.count(n, "min", -highestPriority, highestPriority, &t.least)
		}},
		{"max", func(d *decoder, n *node, t *teamDraft) { d.count(n, "max", -highestPriority, highestPriority, &t.most) }},
	},
}

// powerWords are what files may do beyond asking and notifying.
var powerWords = []string{"refuse", "stop", "dedup"}

// folder reads the settings of the folder.
func (d *decoder) folder(root *node) *folderDraft {
	f := &folderDraft{from: d}
	readMapping(d, root, folderKeys, f)
	return f
}

func (d *decoder) owners(n *node, f *folderDraft) {
	pairs, _ := d.pairs(n, "owners")
	for _, p := range pairs {
		t := &teamDraft{from: d, name: p.key.text, line: p.key.line, at: d.place(p.key), least: -highestPriority, most: highestPriority}
		if !isTeam(t.name) {
			d.fail(t.at, idName, "", "%q is no name for a team", t.name)
		}
		if p.value.kind == nullNode {
			d.fail(t.at, idNoValue, "give it files", "team %q has no settings", t.name)
			continue
		}
		has, ok := readMapping(d, p.value, teamKeys, t)
		if !ok {
			continue
		}
		t.has = has
		if at, given := has["priority"]; given && t.least > t.most {
			d.fail(at, idOutOfRange, "", "no priority lies from %d to %d", t.least, t.most)
		}
		if _, given := has["files"]; !given {
			d.fail(t.at, idMissingKey, "as in `files: [moderation/**, spam.yaml]`", "team %q has no files", t.name)
		}
		f.teams = append(f.teams, t)
	}
}

func (d *decoder) teamCallbacks(n *node, t *teamDraft) {
	var r ruleDraft
	d.callbacks(n, &r)
	t.callbacks, t.unknown = r.Callbacks, r.Unknown
}

func (d *decoder) powers(n *node, t *teamDraft) {
	items, _ := d.items(n, "powers", true)
	t.powers = []string{}
	for _, item := range items {
		var power string
		choice(d, item, "powers", powerWords, powerWords, &power)
		t.powers = append(t.powers, power)
	}
}

// patterns reads one or a list of them.
func (d *decoder) patterns(n *node, what string, compile func(text string) (expr, hint string)) []pattern {
	items, _ := d.items(n, what, true)
	patterns := []pattern{}
	for _, item := range items {
		text, ok := d.literal(item, "an entry of "+what)
		if !ok {
			continue
		}
		at := d.place(d.resolve(item))
		expr, hint := compile(text)
		if expr == "" {
			d.fail(at, idWrongType, hint, "%q is no entry for %s", text, what)
			continue
		}
		patterns = append(patterns, pattern{text, at, regexp.MustCompile("^(?:" + expr + ")$")})
	}
	return patterns
}

// filePattern matches a file, or all files below a folder: * stays within one name, ** does not.
func filePattern(text string) (expr, hint string) {
	clean := strings.TrimSuffix(text, "/")
	if clean == "" || path.Clean(clean) != clean || strings.HasPrefix(clean, "/") || strings.HasPrefix(clean, "..") {
		return "", "a path below the folder, as in moderation/** or spam.yaml"
	}
	expr = regexp.QuoteMeta(clean)
	expr = strings.ReplaceAll(expr, `\*\*/`, `(?:.*/)?`)
	expr = strings.ReplaceAll(expr, `\*\*`, `.*`)
	expr = strings.ReplaceAll(expr, `\*`, `[^/]*`)
	return expr + "(?:/.*)?", ""
}

func namePattern(text string) (expr, hint string) {
	if text == "" {
		return "", `a name of a sink, or a part of it, as in "risk-*"`
	}
	return strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`), ""
}

// groupPattern matches a group id or what one begins with: nothing more can be told of a condition.
func groupPattern(text string) (expr, hint string) {
	if strings.Contains(strings.TrimSuffix(text, "*"), "*") || text == "" {
		return "", `a group id, or what it begins with and a *, as in "support-*"`
	}
	return strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`), ""
}

func matchesAny(patterns []pattern, text string) bool {
	return slices.ContainsFunc(patterns, func(p pattern) bool { return p.matches.MatchString(text) })
}

func texts(patterns []pattern) string {
	if len(patterns) == 0 {
		return "none"
	}
	var list []string
	for _, p := range patterns {
		list = append(list, p.text)
	}
	return strings.Join(list, ", ")
}
