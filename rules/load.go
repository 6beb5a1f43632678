package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"runtime"
	"time"

	"callboard/internal/diag"
	"callboard/rules/when"
)

// MaxFile bounds a rules file, in bytes.
const MaxFile = 4 << 20

// Load reads and checks rules files as one table. It reports everything wrong at once, in file
// order. The Set is nil when any diagnostic is an error. It reads files on all cores.
func Load(files []File, o Options) (*Set, []diag.Diagnostic) {
	l := NewLoader(o)
	l.Workers = runtime.GOMAXPROCS(0)
	return l.Load(files)
}

// A loader is a table while its files are checked together.
type loader struct {
	*loading
	findings *findings
	now      time.Time // by which rules expire
	analyse  bool
	sources  []*source
	window   time.Duration // of dedup where no file has one
	sinks    []*sinkDraft
	rules    []*outline
	defaults []*fileDefaults
	dedups   []*dedupDraft
	noRules  bool // whether a file says `rules: []`

	folder *folderDraft           // nil when the folder has no settings
	root   string                 // the folder that has them
	teamOf map[*source]*teamDraft // rules file → team; nil for none

	inOrder   []*outline        // see ordered
	unreached map[*outline]bool // rules behind one that stops everything
}

// ordered returns the rules in the order of matching.
func (l *loader) ordered() []*outline {
	if l.inOrder == nil {
		l.inOrder = byPriority(l.rules, l.pace)
	}
	return l.inOrder
}

// loading is what all files of a table are read with. It is safe for concurrent use, where it has no pace.
type loading struct {
	compiler     *when.Compiler
	secrets      *secretSources
	answerWithin time.Duration
	pace         *pace
}

// fileDefaults are the defaults of a file.
type fileDefaults struct {
	from  *decoder
	sinks sinkDraft
	rules ruleDraft
}

// read reads the file: its defaults first, since its sinks and rules start from them.
func (f *fileDraft) read(d *decoder) {
	data := trimByteOrderMark(f.data)
	if len(data) > MaxFile {
		d.fail(place{}, idFileTooLarge, "cut it into several files", "the file is larger than 4 MiB")
		return
	}
	d.source = newSource(f.name, data)
	if !d.checkEncoding(data) {
		return
	}
	documents := d.parse(data)
	d.findIgnores(data, documents)
	if documents == nil {
		if len(d.findings.list) == 0 {
			d.emptyFile()
		}
		return
	}
	for _, extra := range documents[1:] {
		d.fail(d.wholeLine(extra.line), idSecondDocument, "put it into a file of its own", "a second document (---) in one file")
	}
	if documents[0].kind == nullNode {
		d.emptyFile()
		return
	}
	d.visits = fewestVisits + visitsPerNode*documents[0].size()
	if isFolderFile(f.name) {
		f.folder = d.folder(documents[0])
		return
	}
	f.readDocument(d, documents[0])
}

func (d *decoder) emptyFile() {
	hint := "a table without rules must be asked for: `rules: []`"
	if isFolderFile(d.name) {
		hint = "give files to teams in it, or take it away"
	}
	d.fail(place{}, idEmptyFile, hint, "the file is empty")
}

func (d *decoder) checkEncoding(data []byte) bool {
	notUTF8, control := badByte(data)
	switch {
	case notUTF8 >= 0:
		d.source = newSource(d.name, data[:notUTF8]) // what follows cannot be shown
		d.fail(placeOf(data, notUTF8), idEncoding, "save it as UTF-8", "the file is not UTF-8: byte 0x%02X", data[notUTF8])
	case control >= 0:
		d.fail(placeOf(data, control), idEncoding, `in a value, write it as an escape within double quotes: "\x1b"`, "control characters cannot stand in YAML")
	default:
		return true
	}
	return false
}

// A layout is a file's top level, kept until all of it is known.
type layout struct {
	defaults, sinks, rules, dedup *node
}

var fileKeys = keys[layout]{
	what: "a rules file",
	known: []key[layout]{
		{"sinks", func(_ *decoder, n *node, f *layout) { f.sinks = n }},
		{"rules", func(_ *decoder, n *node, f *layout) { f.rules = n }},
		{"defaults", func(_ *decoder, n *node, f *layout) { f.defaults = n }},
		{"dedup", func(_ *decoder, n *node, f *layout) { f.dedup = n }},
	},
}

var defaultsKeys = keys[fileDefaults]{
	what: "defaults",
	known: []key[fileDefaults]{
		{"sinks", func(d *decoder, n *node, f *fileDefaults) { readMapping(d, n, defaultSinkKeys, &f.sinks) }},
		{"rules", func(d *decoder, n *node, f *fileDefaults) { readMapping(d, n, defaultRuleKeys, &f.rules) }},
	},
}

func (f *fileDraft) readDocument(d *decoder, root *node) {
	var l layout
	if _, ok := readMapping(d, root, fileKeys, &l); !ok {
		return
	}
	defaults := fileDefaults{from: d}
	if l.defaults != nil {
		readMapping(d, l.defaults, defaultsKeys, &defaults)
		f.defaults = &defaults
	}
	if l.dedup != nil {
		f.dedup = d.dedup(l.dedup)
	}
	if l.sinks != nil {
		f.sinks = d.sinks(l.sinks, defaults.sinks)
	}
	if l.rules != nil {
		list := d.resolve(l.rules)
		f.noRules = list.kind == sequenceNode && len(list.items) == 0
		f.rules = d.rules(l.rules, defaults.rules)
	}
}

// revision hashes names, contents, and what references stand for, each with its length so that
// nothing can pass from one into the next.
func revision(files []*fileDraft) string {
	h := sha256.New()
	part := func(data []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(data)))
		h.Write(length[:])
		h.Write(data)
	}
	for _, f := range files {
		part([]byte(f.name))
		part(f.sum[:])
		for _, u := range f.refs.used {
			h.Write(u.sum[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
