package table

import (
	"reflect"

	"callboard/internal/diag"
	"callboard/router"
	"callboard/rules"
	"callboard/sinks"
)

// A pool is the sinks of a table, by name. A sink whose settings stay the same goes from pool to pool, and with it its
// client and connections.
type pool map[string]*pooled

type pooled struct {
	settings rules.Sink // without its place in the files, which moves with every edit, and without its Shaper
	tls      [3]digest  // contents of its TLS files, which sinks.New reads
	sink     *sinks.Sink
	shaping  *shaping // of deliveries, nil when they are sent as they came
}

// next makes the pool for settings, out of p's sinks as far as they serve. What could not be made is in the diagnostics.
func (p pool) next(settings []*rules.Sink, refs references, o Options) (pool, []diag.Diagnostic) {
	next := make(pool, len(settings))
	var ds []diag.Diagnostic
	for _, s := range settings {
		made := &pooled{settings: *s}
		made.settings.File, made.settings.Line, made.settings.Shaper = "", 0, nil
		made.shaping = newShaping(s, o.Log)
		for i, path := range []string{s.TLS.CA, s.TLS.Cert, s.TLS.Key} {
			if path != "" {
				made.tls[i] = digestOfFile(refs.readFile(path))
			}
		}
		if old := p[s.Name]; old != nil && old.tls == made.tls && reflect.DeepEqual(old.settings, made.settings) {
			next[s.Name] = old
			if !old.shaping.same(made.shaping) { // the sink stays, with its connections and the votes that it has kept
				made.sink = old.sink
				next[s.Name] = made
			}
			continue
		}
		var err error
		if made.sink, err = sinks.New(sinkOptions(s, o)); err != nil {
			ds = append(ds, diag.Diagnostic{
				ID:      "unusable-sink",
				File:    s.File,
				Line:    s.Line,
				Col:     1,
				EndCol:  2,
				Message: err.Error(),
			})
			continue
		}
		next[s.Name] = made
	}
	return next, ds
}

func sinkOptions(s *rules.Sink, o Options) sinks.Options {
	return sinks.Options{
		Name:        s.Name,
		URL:         s.URL,
		Timeout:     s.Timeout,
		Attempts:    s.Attempts,
		Backoff:     s.Backoff,
		MaxBackoff:  s.MaxBackoff,
		Hedge:       s.Hedge,
		Concurrency: s.Concurrency,
		MaxAnswer:   s.MaxAnswer,
		Headers:     s.Headers,
		TLS:         sinks.TLS(s.TLS),
		Dialect:     s.Dialect,
		Secrets:     s.Secrets,
		NeedsReply:  s.NeedsReply,
		Cache:       sinks.Cache{TTL: s.Cache.TTL, StaleOnFailure: s.Cache.StaleOnFailure, Max: s.Cache.Max},
		Batch:       sinks.Batch{NDJSON: s.Batch.Format == rules.NDJSON, Envelope: s.Batch.Item == rules.Envelope},
		Dial:        o.Dial,
		Log:         o.Log,
	}
}

func (p pool) askers() map[string]router.Asker {
	askers := make(map[string]router.Asker, len(p))
	for name, s := range p {
		askers[name] = s.sink
	}
	return askers
}

// closeUnless closes the sinks that the other pool does not have. Their requests in flight finish.
func (p pool) closeUnless(kept pool) {
	for name, s := range p {
		if kept[name] == nil || kept[name].sink != s.sink {
			s.sink.Close()
		}
	}
}
