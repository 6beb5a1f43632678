package table

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"callboard/internal/diag"
	"callboard/router"
	"callboard/rules"
)

// A judgement is what came of one state of the folder.
type judgement struct {
	sum         digest            // of the rules files
	full        map[string]bool   // names of the rules files that were not empty
	referenced  map[string]digest // path of a file that the rules name → its contents
	diagnostics []diag.Diagnostic
	err         error // why this is not what serves
}

// paths returns the paths of the referenced files, sorted.
func (j judgement) paths() []string { return slices.Sorted(maps.Keys(j.referenced)) }

// stale reports whether a referenced file has changed since.
func (j judgement) stale(readFile func(string) ([]byte, error)) bool {
	for path, sum := range j.referenced {
		if digestOfFile(readFile(path)) != sum {
			return true
		}
	}
	return false
}

// namesMoreThan reports whether there are referenced files that old did not have: nobody has watched those.
func (j judgement) namesMoreThan(old map[string]digest) bool {
	for path := range j.referenced {
		if _, found := old[path]; !found {
			return true
		}
	}
	return false
}

// judge checks the files and either publishes their table or says why not.
func (k *Keeper) judge(files []rules.File, sum digest) {
	start := time.Now()
	refs := references{read: k.o.Rules.ReadFile, seen: map[string]digest{}}
	set, ds := k.check(files, refs)
	var next pool
	if set != nil {
		var more []diag.Diagnostic
		next, more = k.sinks.next(set.Sinks, refs, k.o)
		ds = append(ds, more...)
		if k.o.WithoutQueue {
			ds = append(ds, withoutQueue(set)...)
		}
	}
	k.judged = judgement{sum: sum, full: fullFiles(files), referenced: refs.seen, diagnostics: ds}
	k.logDiagnostics(ds)
	if set == nil || diag.HasErrors(ds) {
		next.closeUnless(k.sinks)
		k.reject()
		return
	}
	old := k.sinks
	k.sinks = next
	if k.o.Deliver != nil {
		k.o.Deliver(next.deliveries())
	}
	k.o.Publish(&router.Table{Rules: set, Sinks: next.askers()})
	old.closeUnless(next)
	k.accept(set, len(files), time.Since(start))
}

// check loads the files. A panic there becomes a diagnostic: the table in use must go on serving.
func (k *Keeper) check(files []rules.File, refs references) (set *rules.Set, ds []diag.Diagnostic) {
	defer func() {
		if p := recover(); p != nil {
			k.loads.startOver()
			k.o.Log.Error("loading rules panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			set, ds = nil, []diag.Diagnostic{{
				ID:      "internal-error",
				File:    k.o.Dir,
				Message: "these rules make Callboard fail; this is a bug of Callboard, see its log",
			}}
		}
	}()
	o := k.o.Rules
	o.ReadFile = refs.readFile
	k.loads.serving = k.o.Aside || k.serves()
	if k.loads.serving && k.o.Beside != nil {
		k.o.Beside(func() { set, ds = k.load(files, o) })
		return set, ds
	}
	return k.load(files, o)
}

// serves reports whether there is a table that serves.
func (k *Keeper) serves() bool { return k.Status().Revision != "" }

func (k *Keeper) reject() {
	errors, _ := diag.Count(k.judged.diagnostics)
	k.judged.err = fmt.Errorf("loading rules from %s: errors in the rules: %d", k.o.Dir, errors)
	k.setStatus(func(s *Status) { s.Current, s.Err, s.Diagnostics = false, "", k.judged.diagnostics })
	k.metrics.rejected()
	k.o.Log.Error("rules rejected", "dir", k.o.Dir, "errors", errors, "serving", k.serving())
}

func (k *Keeper) accept(set *rules.Set, files int, took time.Duration) {
	work := k.loads.work()
	k.metrics.accepted(len(set.Rules), len(set.Sinks))
	k.metrics.expiry.of(set)
	k.metrics.worked(work, took)
	k.setStatus(func(s *Status) {
		s.Revision, s.LoadedAt = set.Revision, time.Now()
		s.Rules, s.Sinks = len(set.Rules), len(set.Sinks)
		s.Current, s.Err, s.Diagnostics = true, "", k.judged.diagnostics
	})
	k.o.Log.Info("rules loaded", "dir", k.o.Dir, "revision", set.Revision, "files", files,
		"rules", len(set.Rules), "sinks", len(set.Sinks),
		"files_read", work.FilesRead, "expressions_compiled", work.Compiled, "took", took)
}

func (k *Keeper) logDiagnostics(ds []diag.Diagnostic) {
	for _, d := range ds {
		level := slog.LevelError
		if d.Severity == diag.Warning {
			level = slog.LevelWarn
		}
		attrs := []any{"file", d.File, "line", d.Line, "col", d.Col, "id", d.ID, "problem", d.Message}
		if d.Hint != "" {
			attrs = append(attrs, "hint", d.Hint)
		}
		k.o.Log.Log(context.Background(), level, "rules diagnostic", attrs...)
	}
}

func fullFiles(files []rules.File) map[string]bool {
	full := make(map[string]bool, len(files))
	for _, f := range files {
		if len(f.Data) > 0 {
			full[f.Name] = true
		}
	}
	return full
}

// references remembers which files rules name, and what was in them.
type references struct {
	read func(string) ([]byte, error)
	seen map[string]digest
}

func (r references) readFile(path string) ([]byte, error) {
	data, err := r.read(path)
	r.seen[path] = digestOfFile(data, err)
	return data, err
}

// digestOfFile takes what ReadFile returned.
func digestOfFile(data []byte, err error) digest {
	if err != nil {
		return digest{}
	}
	return sha256.Sum256(data)
}
