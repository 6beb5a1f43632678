package rules

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"os"
	"time"

	"callboard/internal/diag"
	"callboard/rules/when"
)

// A Loader loads a table again and again. It keeps what became of each file and each expression, so that only what has
// changed is read and compiled: what it returns is what Load returns for the same files. The Sets share what is the same.
// It is for one goroutine at a time.
type Loader struct {
	// Workers is how many files are read at the same time. Zero means one. It may be changed between Loads.
	Workers int
	// Serving says that callbacks are answered by the same process: loading goes on one core, whatever Workers says, and rests
	// often, for a third of the time. It may be changed between Loads.
	Serving bool

	o        Options
	compiler *when.Compiler
	files    map[string]*fileDraft // by name, of the last Load
	links    map[string]*link      // sink name → what the rules of files have been tied to
	indexed  *indexed              // nil before the first Set
	work     Work
}

// Work is what a Load had to do, and what it could do without.
type Work struct {
	FilesRead      int // and checked
	FilesKept      int // unchanged, and with them what their references stand for
	Compiled       int // expressions
	ConditionsKept int // of rules whose condition is unchanged, or that of another rule
}

// NewLoader makes a Loader that has loaded nothing.
func NewLoader(o Options) *Loader {
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	o.AnswerWithin = cmp.Or(o.AnswerWithin, defaultAnswerWithin)
	return &Loader{o: o, compiler: &when.Compiler{}}
}

// Work returns what the last Load had to do.
func (l *Loader) Work() Work { return l.work }

// Load does what the function Load does. It keeps the data of files, which must not be changed.
func (l *Loader) Load(files []File) (*Set, []diag.Diagnostic) {
	compiled := l.compiler.Compiled()
	table := &loader{
		loading:  l.loading(),
		findings: &findings{},
		now:      l.o.Now,
		analyse:  l.o.Analyse,
		window:   l.o.Dedup,

		unreached: map[*outline]bool{},
	}
	workers := l.Workers
	if l.Serving {
		workers, table.pace = 1, &pace{time.Now()}
	}
	if table.now.IsZero() {
		table.now = time.Now()
	}
	drafts := l.read(files, table.loading, workers)
	table.join(drafts)
	table.findFolder(drafts)
	table.giveOwners()
	table.check(files)
	table.silence()
	table.nameOwners()
	table.findings.show()
	var set *Set
	if !diag.HasErrors(table.findings.list) {
		set = l.set(table, drafts)
	}
	conds := table.conds()
	table.forget(conds)
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name
	}
	diag.Sort(table.findings.list, names)
	for _, f := range drafts {
		f.again = nil
	}
	l.work.Compiled = l.compiler.Compiled() - compiled
	l.work.ConditionsKept = max(0, len(conds)-l.work.Compiled)
	return set, table.findings.list
}

// loading is what the files of one Load are read with.
func (l *Loader) loading() *loading {
	return &loading{
		compiler:     l.compiler,
		secrets:      &secretSources{lookupEnv: l.o.LookupEnv, readFile: l.o.ReadFile, files: map[string]fileSecret{}},
		answerWithin: l.o.AnswerWithin,
	}
}

// read returns the drafts of files, in their order: of those that are as they were, the ones that it has.
func (l *Loader) read(files []File, with *loading, workers int) []*fileDraft {
	drafts := make([]*fileDraft, len(files))
	var changed []int
	for i, f := range files {
		if old := l.files[f.Name]; old != nil && bytes.Equal(old.data, f.Data) && old.unchanged(with) {
			drafts[i] = old
		} else {
			changed = append(changed, i)
		}
	}
	eachOf(len(changed), workers, func(n int) {
		drafts[changed[n]] = newFileDraft(files[changed[n]], with)
	})
	l.files = make(map[string]*fileDraft, len(files))
	for i, f := range files {
		l.files[f.Name] = drafts[i]
	}
	l.work = Work{FilesRead: len(changed), FilesKept: len(files) - len(changed)}
	return drafts
}

// A fileDraft is what a table remembers of a file.
type fileDraft struct {
	name     string
	data     []byte
	sum      [sha256.Size]byte // of data
	refs     *references
	decoder  *decoder
	findings []diag.Diagnostic // in the file by itself

	defaults *fileDefaults // nil when it has none
	dedup    *dedupDraft   // the same
	sinks    []*sinkDraft
	rules    []*ruleDraft // until outlines are made of them
	outlines []*outline
	noRules  bool // whether it says `rules: []`

	folder *folderDraft // of FolderFile, which has nothing else; nil when it could not be read

	again *fileDraft // the file read again, see outline.draft; nil between Loads
}

func newFileDraft(file File, with *loading) *fileDraft {
	f := readFile(file, with)
	f.sum = sha256.Sum256(file.Data)
	f.decoder.findings.show()
	f.findings = f.decoder.findings.list
	f.outlines = make([]*outline, len(f.rules))
	for i, r := range f.rules {
		f.outlines[i] = newOutline(r, f, i)
	}
	f.rules = nil
	f.decoder.forget()
	return f
}

// readFile reads a file with all its details.
func readFile(file File, with *loading) *fileDraft {
	f := &fileDraft{name: file.Name, data: file.Data, refs: &references{secrets: with.secrets}}
	f.decoder = &decoder{source: newSource(f.name, nil), findings: &findings{}, refs: f.refs, loading: with, near: map[string]string{}}
	f.read(f.decoder)
	return f
}

// unchanged reports whether what the file's references stand for is what it was, and readies the draft for another Load.
func (f *fileDraft) unchanged(with *loading) bool {
	f.refs.secrets, f.decoder.loading = with.secrets, with
	return f.refs.unchanged()
}

// join makes one table of the drafts of files.
func (l *loader) join(drafts []*fileDraft) {
	rules := 0
	for _, f := range drafts {
		rules += len(f.outlines)
	}
	l.rules = make([]*outline, 0, rules)
	for _, f := range drafts {
		l.findings.take(f.findings)
		f.decoder.findings = l.findings
		l.sources = append(l.sources, f.decoder.source)
		if f.defaults != nil {
			l.defaults = append(l.defaults, f.defaults)
		}
		if f.dedup != nil {
			l.dedups = append(l.dedups, f.dedup)
		}
		for _, s := range f.sinks {
			draft := *s
			draft.read = s
			l.sinks = append(l.sinks, &draft)
		}
		l.rules = append(l.rules, f.outlines...)
		l.noRules = l.noRules || f.noRules
	}
}

// conds returns the compiled conditions of the table, one for each rule that has one.
func (l *loader) conds() []*when.Cond {
	conds := make([]*when.Cond, 0, len(l.rules))
	for i, r := range l.rules {
		l.pace.breathe(i)
		if r.cond != nil {
			conds = append(conds, r.cond)
		}
	}
	return conds
}

// forget drops expressions that are out of use; conds are those of rules.
func (l *loader) forget(conds []*when.Cond) {
	keys := l.keys()
	var values []*when.Value
	for _, s := range l.sinks {
		values = append(values, s.Shaper.values()...)
		if s.Shaper != nil && s.Shaper.key != nil {
			keys = append(keys, s.Shaper.key)
		}
	}
	l.compiler.Forget(conds, keys, values)
}

// keys returns the compiled keys of the table.
func (l *loader) keys() []*when.Key {
	var keys []*when.Key
	for _, s := range l.sinks {
		if s.key != nil {
			keys = append(keys, s.key)
		}
	}
	return keys
}
