package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A Shaped is what a sink gets where it is not the callback as it came, and what its vote is kept under.
type Shaped struct {
	Sink    string            `json:"sink"`
	Headers map[string]string `json:"headers,omitempty" doc:"Computed ones."`
	Body    json.RawMessage   `json:"body,omitempty" doc:"Absent where it is the callback's own."`
	Key     string            `json:"key,omitempty" doc:"Of its cache; absent for a vote that is not kept."`
	Notes   []string          `json:"notes,omitempty"`
	Error   string            `json:"error,omitempty" doc:"Why nothing can be sent."`
}

// shaped returns what is computed for each sink that is asked or notified, in their order.
func (x *Explainer) shaped(cb *openim.Callback, t *router.Trace) []Shaped {
	sinks := make(map[string]*rules.Sink, len(x.set.Sinks))
	for _, s := range x.set.Sinks {
		sinks[s.Name] = s
	}
	var names []string
	asked := map[string]bool{}
	for _, a := range t.Asked {
		names, asked[a.Sink] = append(names, a.Sink), true
	}
	for _, n := range t.Notified {
		if !asked[n.Sink] {
			names = append(names, n.Sink)
		}
	}
	var all []Shaped
	for _, name := range names {
		if s := sinks[name]; s.Shaper != nil {
			if shaped, any := shape(s, cb, t.Received, asked[name]); any {
				all = append(all, shaped)
			}
		}
	}
	return all
}

// shape computes what one sink gets, and says whether there is anything to tell.
func shape(s *rules.Sink, cb *openim.Callback, now time.Time, asked bool) (j Shaped, any bool) {
	j.Sink = s.Name
	if s.Shaper.Shapes() {
		shaped, err := s.Shaper.Shape(cb, now)
		j.Notes = shaped.Notes
		if err != nil {
			j.Error = err.Error()
		} else if s.Body != "" || len(s.SetFields) > 0 {
			j.Body = shaped.Body
		}
		for _, h := range shaped.Headers {
			if j.Headers == nil {
				j.Headers = map[string]string{}
			}
			j.Headers[h.Name] = h.Value
		}
	}
	if asked {
		var err error
		if j.Key, err = s.Shaper.VoteKey(cb); err != nil {
			j.Notes = append(j.Notes, "the key of its cache failed: "+err.Error())
		}
	}
	return j, s.Shaper.Shapes() || j.Key != "" || len(j.Notes) > 0
}

// writeShaped prints what is computed for sinks: headers, body, and what a vote is kept under.
func (r *Report) writeShaped(w io.Writer) {
	for i, s := range r.Shaped {
		if i == 0 {
			fmt.Fprintln(w, "\nshaped")
		}
		fmt.Fprintf(w, "  %s\n", s.Sink)
		for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
			fmt.Fprintf(w, "    %s: %s\n", name, oneLine(s.Headers[name]))
		}
		if s.Body != nil {
			fmt.Fprintf(w, "    body: %s\n", oneLine(string(s.Body)))
		}
		if s.Key != "" {
			fmt.Fprintf(w, "    its vote is kept under %q\n", s.Key)
		}
		if s.Error != "" {
			fmt.Fprintf(w, "    error: %s\n", s.Error)
		}
		for _, note := range s.Notes {
			fmt.Fprintf(w, "    note: %s\n", note)
		}
	}
}
