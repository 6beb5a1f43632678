package rules

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"callboard/internal/diag"
	"callboard/internal/testkit"
)

var update = flag.Bool("update", false, "write the expected diagnostics of testdata/bad, and examples/rules.schema.json, instead of comparing with them")

// secretMark is part of every secret of the corpus, so that none can show up unnoticed.
const secretMark = "S3CR3T"

// corpusOptions resolves references for the corpus.
var corpusOptions = Options{
	Now:     time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	Analyse: true,
	LookupEnv: func(name string) (string, bool) {
		value, ok := map[string]string{
			"MODERATION_URL": "https://callboard:" + secretMark + "@moderation.internal/check",
			"TENANT":         "acme",
			"EMPTY":          "",
			"SECRET":         secretMark,
			"HOST":           "moderation.internal",
		}[name]
		return value, ok
	},
	ReadFile: func(path string) ([]byte, error) {
		switch path {
		case "/run/secrets/token":
			return []byte("Bearer " + secretMark + "\n"), nil
		case "/run/secrets/archive":
			return []byte(secretMark + "-of-the-archive\n"), nil
		case "/denied":
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		case "/broken":
			return nil, fmt.Errorf("reading %s", secretMark)
		case "/huge":
			return make([]byte, largestSecret+1), nil
		case "/binary":
			return []byte(secretMark + "\xff"), nil
		default:
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
	},
}

// corpus returns the cases of a folder: each file is one, and each subfolder with all its files.
func corpus(t testing.TB, dir string) map[string][]File {
	t.Helper()
	cases := map[string][]File{}
	for _, pattern := range []string{"*.yaml", "*/*.yaml", "*/*/*.yaml", "*/*/*/*.yaml"} {
		paths, err := filepath.Glob(filepath.Join("testdata", dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel(filepath.Join("testdata", dir), path)
			name = filepath.ToSlash(name)
			key, _, _ := strings.Cut(strings.TrimSuffix(name, ".yaml"), "/")
			cases[key] = append(cases[key], File{Name: name, Data: data})
		}
	}
	return cases
}

// badCases are the cases of testdata/bad and those that are too large, or too empty, to be files.
func badCases(t testing.TB) map[string][]File {
	cases := corpus(t, "bad")
	cases["generated-no-files"] = nil
	cases["generated-file-too-large"] = []File{{"large.yaml", bytes.Repeat([]byte("# text\n"), MaxFile/7+1)}}
	var long strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&long, "x-%d: 0, ", i)
	}
	bomb := "x-a: &a {" + long.String() + "}\nrules:\n"
	for i := range 1000 {
		bomb += fmt.Sprintf("  - {<<: *a, name: r%d, stop: true, when: false}\n", i)
	}
	cases["generated-aliases"] = []File{{"aliases.yaml", []byte(bomb)}}
	return cases
}

func TestBadCorpus(t *testing.T) {
	cases := badCases(t)
	if len(cases) < 60 {
		t.Errorf("%d cases, want 60 at least", len(cases))
	}
	golden, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range golden {
		if name := strings.TrimSuffix(filepath.Base(path), ".txt"); !hasKey(cases, name) {
			t.Errorf("%s belongs to no case", path)
		}
	}
	for name, files := range cases {
		t.Run(name, func(t *testing.T) {
			set, found := Load(files, corpusOptions)
			if len(found) == 0 {
				t.Error("nothing is found wrong")
			}
			if (set == nil) != diag.HasErrors(found) {
				t.Errorf("set is nil: %t, but has errors: %t", set == nil, diag.HasErrors(found))
			}
			var got bytes.Buffer
			if err := diag.WriteText(&got, found); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got.String(), secretMark) {
				t.Errorf("a secret is shown:\n%s", &got)
			}
			testkit.Golden(t, filepath.Join("testdata", "bad", name+".txt"), got.String(), *update)
		})
	}
}

func hasKey(cases map[string][]File, name string) bool {
	_, ok := cases[name]
	return ok
}

func TestOKCorpus(t *testing.T) {
	cases := corpus(t, "ok")
	if len(cases) < 20 {
		t.Errorf("%d cases, want 20 at least", len(cases))
	}
	for name, files := range cases {
		t.Run(name, func(t *testing.T) {
			set, found := Load(files, corpusOptions)
			if set == nil || len(found) > 0 {
				var text bytes.Buffer
				diag.WriteText(&text, found)
				t.Errorf("diagnostics of a good table:\n%s", &text)
			}
		})
	}
}

// Every id has a case that shows it, and no case shows an id twice spelled.
func TestEveryIDHasACase(t *testing.T) {
	shown := map[string]bool{}
	for _, files := range badCases(t) {
		_, found := Load(files, corpusOptions)
		for _, d := range found {
			shown[d.ID] = true
		}
	}
	for text := range badTests() {
		_, found := ReadTests([]File{{Name: "a_test.yaml", Data: []byte(text)}}, testedSet())
		for _, d := range found {
			shown[d.ID] = true
		}
	}
	for name, id := range declaredIDs(t) {
		if !shown[id] {
			t.Errorf("no case in testdata/bad, nor among bad tests, leads to %s (%q)", name, id)
		}
	}
}

// declaredIDs reads the constants of ids.go: name → id.
func declaredIDs(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "ids.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			id, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			ids[spec.Names[0].Name] = id
		}
		return true
	})
	return ids
}
