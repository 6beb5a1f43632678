package docs

import (
	"fmt"
	"strings"
	"testing"

	"callboard/rules"
)

// Every row of the tables of matching.md is what its condition comes to.
func TestMatchingShapes(t *testing.T) {
	for _, row := range rowsBetween(t, "matching.md", "shapes", 2) {
		if got := indexing(t, row[0]); got != (rules.Indexing{By: row[1]}) {
			t.Errorf("%s: %+v, the table says indexed by %s", row[0], got, row[1])
		}
	}
	for _, row := range rowsBetween(t, "matching.md", "scanned", 3) {
		if got := indexing(t, row[0]); got != (rules.Indexing{Because: row[1], Rewrite: row[2]}) {
			t.Errorf("%s: %+v, the table says %q, rewrite %q", row[0], got, row[1], row[2])
		}
		if row[2] != "" {
			if got := indexing(t, row[2]); got.By == "" {
				t.Errorf("the rewrite %s is not indexed either: %+v", row[2], got)
			}
		}
	}
}

func indexing(t *testing.T, condition string) rules.Indexing {
	t.Helper()
	file := fmt.Sprintf("rules:\n  - name: r\n    callbacks: beforeSendGroupMsg\n    when: |-\n      %s\n    reply: allow\n", condition)
	set, diagnostics := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(file)}}, rules.Options{})
	if set == nil {
		t.Fatalf("%s: %v", condition, diagnostics)
	}
	return set.Indexing(0)
}

// rowsBetween returns the cells of a table between marks, as what they stand for.
func rowsBetween(t *testing.T, name, mark string, columns int) [][]string {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, name), "<!-- begin "+mark+" -->\n")
	table, _, ok := strings.Cut(rest, "<!-- end "+mark+" -->")
	if !ok {
		t.Fatalf("%s has no table %s", name, mark)
	}
	var rows [][]string
	for _, line := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
		line = strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00")
		cells := strings.Split(line, "|")
		for i, cell := range cells {
			cells[i] = strings.Trim(strings.ReplaceAll(strings.TrimSpace(cell), "\x00", "|"), "`")
		}
		if len(cells) != columns {
			t.Fatalf("%s: %q has %d cells, want %d", name, line, len(cells), columns)
		}
		rows = append(rows, cells)
	}
	return rows
}
