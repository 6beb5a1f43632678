package table

import (
	"runtime"

	"callboard/internal/diag"
	"callboard/rules"
)

// loads are the loads of one folder, one after the other. The zero value is ready to use.
type loads struct {
	serving bool // callbacks need the cores, too
	loader  *rules.Loader
	read    func(path string) ([]byte, error) // of this load
}

// load loads files with what is kept of the last load. Of the options, only ReadFile may differ from load to load.
func (l *loads) load(files []rules.File, o rules.Options) (*rules.Set, []diag.Diagnostic) {
	l.read = o.ReadFile
	if l.loader == nil {
		o.ReadFile = func(path string) ([]byte, error) { return l.read(path) }
		l.loader = rules.NewLoader(o)
	}
	l.loader.Workers, l.loader.Serving = runtime.GOMAXPROCS(0), l.serving
	return l.loader.Load(files)
}

// work is what the last load had to do.
func (l *loads) work() rules.Work {
	if l.loader == nil {
		return rules.Work{}
	}
	return l.loader.Work()
}

// startOver forgets what was kept: it may be broken.
func (l *loads) startOver() { l.loader = nil }
