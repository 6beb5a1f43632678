package explain

import (
	"fmt"
	"io"

	"callboard/rules"
)

// An Indexing is how a rule is found among the others.
type Indexing struct {
	By      string `json:"by,omitempty" doc:"What a callback must have for the condition to be evaluated; absent when it is scanned."`
	Because string `json:"because,omitempty" doc:"Why it is scanned: evaluated for every callback of its commands."`
	Rewrite string `json:"rewrite,omitempty" doc:"What says the same as the part named in because and is indexed, where that is known."`
}

// indexingOf tells it of the rule in a place of a table. It takes as long as compiling a condition.
func indexingOf(set *rules.Set, place int) *Indexing {
	i := set.Indexing(place)
	return &Indexing{By: i.By, Because: i.Because, Rewrite: i.Rewrite}
}

func (i *Indexing) writeText(w io.Writer) {
	switch {
	case i == nil:
	case i.By != "":
		fmt.Fprintf(w, "    indexed by %s\n", oneLine(i.By))
	default:
		fmt.Fprintf(w, "    scanned, because %s\n", oneLine(i.Because))
		if i.Rewrite != "" {
			fmt.Fprintf(w, "      indexed would be %s\n", oneLine(i.Rewrite))
		}
	}
}
