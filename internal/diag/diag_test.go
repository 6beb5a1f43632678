package diag

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/internal/testkit"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// findings holds one diagnostic for each thing that renderings must get right.
var findings = []Diagnostic{
	{ID: "no-files", Message: "no rules files", Hint: "add one"},
	{ID: "empty-file", File: "empty.yaml", Message: "the file is empty"},
	{ID: "unknown-field", File: "rules.yaml", Line: 14, Col: 34, EndCol: 40,
		Message: `unknown field "sendId" in expression`,
		Hint:    `did you mean "sendID"?`,
		Source:  `    when: contentType == Text && sendId != ""`},
	{Severity: Warning, ID: "unused-sink", File: "rules.yaml", Line: 3, Col: 3, EndCol: 10,
		Message: `no rule asks sink "archive"`, Owner: "storage", Source: `  archive:`},
	{ID: "tabs", File: "tabs.yaml", Line: 2, Col: 3, EndCol: 5, Message: "after two tabs", Source: "\t\tab\tc"},
	{ID: "wide", File: "wide.yaml", Line: 9, Col: 13, EndCol: 15, Message: "after and under wide characters",
		Source: `when: "退款" 退款 && e` + "\u0301"},
	{ID: "combining", File: "wide.yaml", Line: 100, Col: 4, EndCol: 5, Message: "after a combining accent", Source: "e\u0301 x"},
	{ID: "line-end", File: "end.yaml", Line: 1, Col: 5, EndCol: 6, Message: "at the end of a line", Source: "when"},
	{ID: "outside", File: "end.yaml", Line: 1, Col: 50, EndCol: 60, Message: "beyond the line", Source: "when"},
	{ID: "control", File: "a\nb.yaml", Line: 1, Col: 1, EndCol: 2, Message: "message\nwith\x1b[31m controls", Source: "\x1b[2Jx"},
	{ID: "long", File: "long.yaml", Line: 1, Col: 301, EndCol: 304, Message: "far out on a long line",
		Source: strings.Repeat("0123456789", 30) + "bad" + strings.Repeat("0123456789", 30)},
	{Severity: Warning, ID: "a:b,c", File: "C:\\rules,50%.yaml", Line: 1, Col: 1, EndCol: 1, Message: "100% sure: yes, no", Hint: "line one\r\nline two", Source: "x"},
}

func TestRenderings(t *testing.T) {
	for name, write := range map[string]func(io.Writer, []Diagnostic) error{
		"text": WriteText, "json": WriteJSON, "github": WriteGitHub,
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got, findings); err != nil {
				t.Fatal(err)
			}
			testkit.Golden(t, filepath.Join("testdata", "findings."+name), got.String(), *update)
		})
	}
}

func TestNoFindings(t *testing.T) {
	var text, object, github bytes.Buffer
	WriteText(&text, nil)
	WriteJSON(&object, nil)
	WriteGitHub(&github, nil)
	if text.Len() != 0 || github.Len() != 0 {
		t.Errorf("nothing found writes %q and %q, want nothing", text.String(), github.String())
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, object.Bytes()); err != nil {
		t.Fatal(err)
	}
	if want := `{"diagnostics":[],"errors":0,"warnings":0}`; compact.String() != want {
		t.Errorf("nothing found writes %s, want %s", compact.String(), want)
	}
}

func TestCount(t *testing.T) {
	errors, warnings := Count(findings)
	if errors != 10 || warnings != 2 {
		t.Errorf("Count = %d, %d, want 10, 2", errors, warnings)
	}
	if !HasErrors(findings) || HasErrors(nil) || HasErrors([]Diagnostic{{Severity: Warning}}) {
		t.Error("HasErrors is wrong")
	}
}

func TestSort(t *testing.T) {
	at := func(file string, line, col int, message string) Diagnostic {
		return Diagnostic{File: file, Line: line, Col: col, Message: message}
	}
	got := []Diagnostic{
		at("other.yaml", 1, 1, ""), at("a.yaml", 2, 1, ""), at("b.yaml", 9, 1, ""), at("a.yaml", 1, 5, "first"),
		at("another.yaml", 1, 1, ""), at("a.yaml", 1, 5, "second"), at("a.yaml", 1, 2, ""), at("a.yaml", 0, 0, ""),
	}
	Sort(got, []string{"b.yaml", "a.yaml"})
	want := []Diagnostic{
		at("b.yaml", 9, 1, ""), at("a.yaml", 0, 0, ""), at("a.yaml", 1, 2, ""), at("a.yaml", 1, 5, "first"),
		at("a.yaml", 1, 5, "second"), at("a.yaml", 2, 1, ""), at("another.yaml", 1, 1, ""), at("other.yaml", 1, 1, ""),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order differs (-want +got):\n%s", diff)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"sendID", "recvID", "groupID", "timeout", "url", "on_failure"}
	for word, want := range map[string]string{
		"sendId": "sendID", "SENDID": "sendID", "gruopID": "groupID", "timeot": "timeout", "onfailure": "on_failure",
		"timeuots": "timeout", "urls": "url", "xyz": "", "u": "", "": "", "content": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// Whatever a diagnostic holds, it stays on its lines: nothing in it can pass for another one.
func TestHostileFindings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Diagnostic{
			ID: rapid.String().Draw(t, "id"), File: rapid.String().Draw(t, "file"), Message: rapid.String().Draw(t, "message"),
			Hint: rapid.String().Draw(t, "hint"), Owner: rapid.String().Draw(t, "owner"), Source: rapid.String().Draw(t, "source"),
			Line: rapid.IntRange(0, 5).Draw(t, "line"), Col: rapid.IntRange(-1, 300).Draw(t, "col"), EndCol: rapid.IntRange(-1, 300).Draw(t, "end"),
		}
		var text, github bytes.Buffer
		WriteText(&text, []Diagnostic{d})
		WriteGitHub(&github, []Diagnostic{d})
		if n := strings.Count(text.String(), "\n"); n > 6 {
			t.Fatalf("text has %d lines:\n%s", n, text.String())
		}
		if n := strings.Count(github.String(), "\n"); n != 1 || strings.Contains(github.String(), "\r") {
			t.Fatalf("github has %d lines: %q", n, github.String())
		}
	})
}
