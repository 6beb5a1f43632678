package demo

import (
	"slices"
	"time"

	"callboard/internal/table"
)

// news remembers what has been told of the rules folder.
type news struct {
	told table.Status
}

// tell prints what has become of the rules folder since the last time, if anything.
func (n *news) tell(s table.Status, show *screen) {
	before := n.told
	n.told = s
	switch {
	case before.Revision != s.Revision:
		show.taken(s)
	case !s.Current && (before.Current || before.Err != s.Err || !slices.Equal(before.Diagnostics, s.Diagnostics)):
		show.rejected(s.Diagnostics, s.Err)
	case s.Current && !before.Current:
		show.print(line(clock(time.Now()), "RULES MENDED: the folder again holds what is in force"))
	}
}
