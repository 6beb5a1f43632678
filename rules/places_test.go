package rules

import (
	"strings"
	"testing"
)

// However YAML writes a condition, whatever ends its lines, and whatever stands before it, a finding points at the
// very characters it is about.
func TestFindingsStandAtTheirCharacters(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for style, condition := range map[string]string{
		"plain":                        `when: groupID == "g" && nosuch == 1`,
		"plain, over lines":            "when: groupID == \"g\"\n      && nosuch == 1",
		"single-quoted":                `when: 'groupID == "it''s" && nosuch == 1'`,
		"single-quoted, over lines":    "when: 'groupID == \"g\"\n\n      && nosuch == 1'",
		"double-quoted":                `when: "groupID == \"\u00e9\x41\" && nosuch == 1"`,
		"double-quoted, over lines":    "when: \"groupID == 'g' \\\n      && nosuch == 1\"",
		"literal":                      "when: |\n      groupID == \"g\"\n        && nosuch == 1",
		"literal, kept":                "when: |+\n      groupID == \"g\"\n\n      && nosuch == 1\n",
		"literal, indented by a digit": "when: |2-\n        groupID == \"g\"\n      && nosuch == 1",
		"folded":                       "when: >-\n      groupID == \"g\"\n      && nosuch == 1",
		"folded, with deeper lines":    "when: >\n      groupID == \"g\"\n\n        && sendID != \"\"\n      && nosuch == 1",
		"behind an anchor":             `when: &c groupID == "g" && nosuch == 1`,
		"behind a reference":           `when: groupID == "${env:TENANT:-longer than its value}" && nosuch == 1`,
		"behind wide characters":       `when: groupID == "群组👍🏽" && nosuch == 1`,
		"behind tabs":                  "when: groupID\t==\t\"g\"\t&& nosuch == 1",
		"literal, with tabs":           "when: |\n      groupID == \"g\"\n      \t&& nosuch == 1",
		"behind a very long text":      `when: groupID in ["` + long + `"] && nosuch == 1`,
	} {
		for ends, lineBreak := range map[string]string{"unix": "\n", "windows": "\r\n", "old mac": "\r"} {
			for mark, prefix := range map[string]string{"without": "", "with": "\ufeff"} {
				text := "# é\nrules:\n  - name: r\n    callbacks: [beforeSendGroupMsg]\n    " + condition + "\n    reply: allow\n"
				text = prefix + strings.ReplaceAll(text, "\n", lineBreak)
				_, found := Load([]File{{Name: "f.yaml", Data: []byte(text)}}, corpusOptions)
				if len(found) != 1 {
					t.Errorf("%s, %s line ends, %s byte order mark: %d findings: %v", style, ends, mark, len(found), found)
					continue
				}
				d := found[0]
				line := []rune(d.Source)
				if d.EndCol-1 > len(line) || string(line[d.Col-1:d.EndCol-1]) != "nosuch" {
					t.Errorf("%s, %s line ends, %s byte order mark: %s points at %d to %d of %.80q", style, ends, mark, d, d.Col, d.EndCol, d.Source)
				}
			}
		}
	}
}
