package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"slices"
	"time"

	"callboard/internal/diag"
	"callboard/rules/when"
)

// MaxFile bounds a rules file, in bytes.
const MaxFile = 4 << 20

// Load reads and checks rules files as one table. It reports everything wrong at once, in file
// order. The Set is nil when any diagnostic is an error.
func Load(files []File, o Options) (*Set, []diag.Diagnostic) {
	l := newLoader(o)
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		l.read(f)
	}
	l.check(files)
	l.findings.show()
	diag.Sort(l.findings.list, names)
	if diag.HasErrors(l.findings.list) {
		return nil, l.findings.list
	}
	return l.set(files), l.findings.list
}

// A loader is a table while its files are read.
type loader struct {
	findings     *findings
	refs         *references
	answerWithin time.Duration
	window       time.Duration // of dedup where no file has one
	sinks        []*sinkDraft
	rules        []*ruleDraft
	defaults     []fileDefaults
	dedups       []*dedupDraft
	noRules      bool // whether a file says `rules: []`
}

// fileDefaults are the defaults of a file.
type fileDefaults struct {
	from  *decoder
	sinks sinkDraft
	rules ruleDraft
}

func newLoader(o Options) *loader {
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	return &loader{
		findings: &findings{seen: map[string]bool{}},
		refs: &references{
			lookupEnv: o.LookupEnv, readFile: o.ReadFile,
			files: map[string]fileSecret{}, used: sha256.New(),
		},
		answerWithin: cmp.Or(o.AnswerWithin, 4*time.Second),
		window:       o.Dedup,
	}
}

// read reads one file: its defaults first, since its sinks and rules start from them.
func (l *loader) read(f File) {
	data := trimByteOrderMark(f.Data)
	d := &decoder{source: newSource(f.Name, nil), findings: l.findings, refs: l.refs, near: map[string]string{}}
	if len(data) > MaxFile {
		d.fail(place{}, idFileTooLarge, "cut it into several files", "the file is larger than 4 MiB")
		return
	}
	d.source = newSource(f.Name, data)
	if !d.checkEncoding(data) {
		return
	}
	documents := d.parse(data)
	if documents == nil {
		if len(l.findings.list) == 0 || l.findings.list[len(l.findings.list)-1].File != f.Name {
			d.fail(place{}, idEmptyFile, "a table without rules must be asked for: `rules: []`", "the file is empty")
		}
		return
	}
	for _, extra := range documents[1:] {
		d.fail(d.wholeLine(extra.line), idSecondDocument, "put it into a file of its own", "a second document (---) in one file")
	}
	if documents[0].kind == nullNode {
		d.fail(place{}, idEmptyFile, "a table without rules must be asked for: `rules: []`", "the file is empty")
		return
	}
	d.visits = fewestVisits + visitsPerNode*documents[0].size()
	l.readDocument(d, documents[0])
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

func (l *loader) readDocument(d *decoder, root *node) {
	var f layout
	if _, ok := readMapping(d, root, fileKeys, &f); !ok {
		return
	}
	defaults := fileDefaults{from: d}
	if f.defaults != nil {
		readMapping(d, f.defaults, defaultsKeys, &defaults)
		l.defaults = append(l.defaults, defaults)
	}
	if f.dedup != nil {
		l.dedups = append(l.dedups, d.dedup(f.dedup))
	}
	if f.sinks != nil {
		l.sinks = append(l.sinks, d.sinks(f.sinks, defaults.sinks)...)
	}
	if f.rules != nil {
		list := d.resolve(f.rules)
		l.noRules = l.noRules || list.kind == sequenceNode && len(list.items) == 0
		l.rules = append(l.rules, d.rules(f.rules, defaults.rules)...)
	}
}

// set makes the table of what was read without an error.
func (l *loader) set(files []File) *Set {
	s := &Set{Revision: l.revision(files), Dedup: l.dedup()}
	targets := map[string]target{} // sink name → the sink
	var keys []*when.Key
	for _, draft := range l.sinks {
		sink := draft.Sink
		s.Sinks = append(s.Sinks, &sink)
		targets[sink.Name] = target{&sink, draft.key}
		if draft.key != nil {
			keys = append(keys, draft.key)
		}
	}
	slices.SortFunc(s.Sinks, func(a, b *Sink) int { return cmp.Compare(a.Name, b.Name) })
	votes := l.sinkVotes()
	var conds []*when.Cond
	for _, draft := range l.rules {
		r := draft.Rule
		if r.Await != nil {
			await := *r.Await
			await.OnFailure = nil
			for _, sink := range await.Sinks {
				await.setVote(sink, draft.await.vote(sink, votes[sink]))
			}
			r.Await = &await
		}
		if r.Reply != nil {
			reply := *r.Reply
			r.Reply = &reply
		}
		for _, name := range r.Notify {
			r.targets = append(r.targets, targets[name])
		}
		r.alone = []string{r.Name}
		if r.cond != nil {
			conds = append(conds, r.cond)
		}
		s.Rules = append(s.Rules, &r)
	}
	slices.SortStableFunc(s.Rules, func(a, b *Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	s.env = when.NewEnv(conds, keys...)
	s.index()
	return s
}

// revision hashes names, contents, and what references stand for, each with its length so that
// nothing can pass from one into the next.
func (l *loader) revision(files []File) string {
	h := sha256.New()
	part := func(data []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(data)))
		h.Write(length[:])
		h.Write(data)
	}
	for _, f := range files {
		part([]byte(f.Name))
		part(f.Data)
	}
	h.Write(l.refs.sum())
	return hex.EncodeToString(h.Sum(nil))[:12]
}
