package docs

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const findingsPage = "findings.md"

// shownElsewhere are findings that a few lines of YAML in a folder do not lead to.
var shownElsewhere = []string{
	"no-files", "file-too-large", "encoding", "too-many-aliases", "too-long", "unset-reference", "no-data-folder", "scanned-condition", "internal-error",
}

// ofPlaying are findings of callboard test, which plays the tests of an example.
var ofPlaying = []string{"failed-test", "unseen-match", "unseen-true", "unseen-false", "unnoticed-change"}

// A finding is a section of the page.
type finding struct {
	id, example string
}

var (
	findingHead = regexp.MustCompile(`(?m)^### (\S+)$`)
	fileMark    = regexp.MustCompile(`^# ([\w/.-]+\.yaml)$`)
)

func findingsOnPage(t *testing.T) []finding {
	t.Helper()
	page := read(t, findingsPage)
	heads := findingHead.FindAllStringSubmatchIndex(page, -1)
	var found []finding
	for i, m := range heads {
		end := len(page)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		_, example, _ := strings.Cut(page[m[1]:end], "```yml\n")
		example, _, _ = strings.Cut(example, "```\n")
		found = append(found, finding{page[m[2]:m[3]], example})
	}
	return found
}

// Each example leads to the finding that it is an example of.
func TestExamplesOfFindings(t *testing.T) {
	callboard := callboard(t)
	for _, f := range findingsOnPage(t) {
		t.Run(f.id, func(t *testing.T) {
			if without := slices.Contains(shownElsewhere, f.id); without != (f.example == "") {
				t.Fatalf("has an example: %t, want %t", !without, without)
			}
			if f.example == "" {
				return
			}
			dir := t.TempDir()
			writeFiles(t, dir, f.example)
			if slices.Contains(ofPlaying, f.id) {
				out, _ := exec.Command(callboard, "test", "--coverage", "--mutate", "--format", "github", dir).Output()
				if !strings.Contains(string(out), "title="+f.id+"::") {
					t.Errorf("test finds:\n%s", out)
				}
			}
			out, _ := exec.Command(callboard, "check", "--format", "json", "--now", "2026-11-23T00:00:00Z", dir).Output()
			var report struct {
				Diagnostics []struct{ ID string }
			}
			if err := json.Unmarshal(out, &report); err != nil {
				t.Fatalf("check prints %q: %v", out, err)
			}
			var ids []string
			for _, d := range report.Diagnostics {
				ids = append(ids, d.ID)
			}
			if slices.Contains(ofPlaying, f.id) {
				ids = append(ids, f.id)
			}
			if !slices.Contains(ids, f.id) {
				t.Errorf("check finds %q", ids)
			}
			if f.id != "ignore-without-reason" && len(slices.Compact(ids)) > 1 {
				t.Errorf("check finds more: %q", ids)
			}
		})
	}
}

// writeFiles writes an example into a folder: one file, or several, each below a comment with its name.
func writeFiles(t *testing.T, dir, example string) {
	t.Helper()
	name, files := "rules.yaml", map[string]string{}
	for line := range strings.Lines(example) {
		if m := fileMark.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			name = m[1]
			continue
		}
		files[name] += line
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
}

var (
	idText = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	// notIDs are texts in the code of conditions that look like ids.
	notIDs = []string{"x-real-ip", "x-tenant", "user-agent"}
)

// The page tells of every id in the code, and of no other.
func TestFindingsPageHasEveryID(t *testing.T) {
	want := map[string]bool{}
	for _, file := range []string{"../rules/ids.go", "../internal/ruletest/ids.go"} {
		eachLiteral(t, file, func(id string) { want[id] = true })
	}
	for _, pattern := range []string{"../rules/when/*.go", "../internal/table/*.go", "../cmd/callboard/placeholders.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				eachID(t, file, func(id string) { want[id] = true })
			}
		}
	}
	for _, f := range findingsOnPage(t) {
		if !want[f.id] {
			t.Errorf("%s tells of %s, which is no finding", findingsPage, f.id)
		}
		delete(want, f.id)
	}
	for id := range want {
		t.Errorf("%s does not tell of %s", findingsPage, id)
	}
}

// eachLiteral calls use for the values of a file's constants.
func eachLiteral(t *testing.T, file string, use func(string)) {
	t.Helper()
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, v := range spec.Values {
				use(literal(v))
			}
		}
		return true
	})
}

// eachID calls use for what stands where an id does: an argument of add, addAt, warn and checkScalar, a field ID, a variable id.
func eachID(t *testing.T, file string, use func(string)) {
	t.Helper()
	maybe := func(e ast.Expr) {
		if text := literal(e); idText.MatchString(text) && !slices.Contains(notIDs, text) {
			use(text)
		}
	}
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"add", "addAt", "warn", "checkScalar"}, f.Sel.Name) {
				for _, arg := range n.Args {
					maybe(arg)
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "ID" {
				maybe(n.Value)
			}
		case *ast.AssignStmt:
			if to, ok := n.Lhs[0].(*ast.Ident); ok && to.Name == "id" {
				maybe(n.Rhs[0])
			}
		}
		return true
	})
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// literal returns the value of a literal text, "" for anything else.
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		text, _ := strconv.Unquote(l.Value)
		return text
	}
	return ""
}
