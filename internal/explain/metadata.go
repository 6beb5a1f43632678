package explain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"callboard/rules"
)

// Metadata is what a rule's author says of it.
type Metadata struct {
	Description string            `json:"description,omitempty"`
	Owner       string            `json:"owner,omitempty" doc:"The team that answers for it."`
	Runbook     string            `json:"runbook,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Expires     string            `json:"expires,omitempty" doc:"The last day on which the rule is wanted."`
}

// MetadataOf returns what a rule's author says of it.
func MetadataOf(r *rules.Rule) Metadata {
	m := Metadata{Description: r.Description, Owner: r.Owner, Runbook: r.Runbook, Labels: r.Labels}
	if !r.Expires.IsZero() {
		m.Expires = r.Expires.Format(time.DateOnly)
	}
	return m
}

// writeText prints what there is of it, each on a line of its own.
func (m *Metadata) writeText(w io.Writer) {
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "    %s: %s\n", name, oneLine(text))
		}
	}
	line("description", m.Description)
	line("owner", m.Owner)
	line("runbook", m.Runbook)
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(m.Labels)) {
		labels = append(labels, name+"="+m.Labels[name])
	}
	line("labels", strings.Join(labels, ", "))
	line("expires", m.Expires)
}
