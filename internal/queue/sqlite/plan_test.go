package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
)

// Each statement finds what it wants by the index that was made for it. SQLite does not see everything that a person sees
// of conditions and partial indexes, and a scan works just as well on ten rows.
func TestStatementsUseTheirIndexes(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		s := openStore(t, Options{Path: filepath.Join(t.TempDir(), "queue.db"), Driver: driver})
		for query, want := range map[string]string{
			readLog:            "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)|SEARCH p USING PRIMARY KEY (sink=? AND seq=?)",
			readDue:            "SEARCH p USING INDEX pending_due (sink=?)|SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
			readLane:           "SEARCH p USING INDEX pending_lane (sink=? AND lane=? AND seq<?)|SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
			readNoLane:         "SEARCH p USING PRIMARY KEY (sink=? AND seq<?)|SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
			readEvent:          "SEARCH e USING INDEX events_id (id=?)",
			readHead:           "SEARCH events",
			readNext:           "SEARCH events USING INTEGER PRIMARY KEY (rowid>?)",
			loadDue:            "SEARCH pending USING COVERING INDEX pending_due (sink=?)",
			loadStates:         "SCAN pending",
			loadLanes:          "SCAN pending USING COVERING INDEX pending_lane",
			searchPlace:        "SEARCH events USING INTEGER PRIMARY KEY (rowid<?)",
			searchEvents:       "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
			searchID:           "SEARCH e USING INDEX events_id (id=?)",
			searchRowPlace:     "SEARCH pending USING COVERING INDEX pending_seq (seq<?)",
			searchRows:         "SEARCH p USING INDEX pending_seq (seq>? AND seq<?)",
			searchOf:           "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)|SEARCH pending USING COVERING INDEX pending_seq (seq>? AND seq<?)",
			searchSinkRowPlace: "SEARCH pending USING PRIMARY KEY (sink=? AND seq<?)",
			searchSinkRows:     "SEARCH p USING PRIMARY KEY (sink=? AND seq>? AND seq<?)",
			searchSinkOf:       "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)|SEARCH pending USING PRIMARY KEY (sink=? AND seq>? AND seq<?)",
			deleteSpan:         "SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)|SEARCH p USING COVERING INDEX pending_seq (seq=?)",
			dropSkipped:        "SEARCH pending USING INDEX pending_seq (seq>? AND seq<?)",
			trimRows:           "SEARCH pending USING COVERING INDEX pending_seq (seq>? AND seq<?)",
			trimTargets:        "SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
		} {
			var args []any
			for range strings.Count(query, "?") {
				args = append(args, 1)
			}
			var plan []string
			err := each(t.Context(), s.readers, "EXPLAIN QUERY PLAN "+query, func(row scans) error {
				var id, parent, unused int
				var detail string
				err := row.Scan(&id, &parent, &unused, &detail)
				plan = append(plan, detail)
				return err
			}, args...)
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			all := strings.Join(plan, "\n")
			for _, step := range strings.Split(want, "|") {
				if !strings.Contains(all, step) {
					t.Errorf("%s\nis done by\n%s\nwant %s", query, all, step)
				}
			}
			if strings.Contains(all, "SCAN events") || strings.Contains(all, "TEMP B-TREE") && query != searchOf && query != searchSinkOf {
				t.Errorf("%s\nis done by\n%s", query, all)
			}
		}
	})
}
