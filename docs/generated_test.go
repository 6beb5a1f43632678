package docs

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/journal"
	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
	"callboard/internal/shadow"
	"callboard/internal/table"
	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/router"
	"callboard/rules/when"
)

// What follows is drawn from the code: -update writes it into the pages, without it the tests compare.

// generated holds what stands between <!-- begin NAME --> and <!-- end NAME --> on a page to want.
func generated(t *testing.T, file, name, want string) {
	t.Helper()
	page := read(t, file)
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->\n"
	before, rest, ok := strings.Cut(page, begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for %s", file, name)
	}
	want = "\n" + want + "\n"
	if *update && got != want {
		write(t, file, before+begin+want+end+after)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s of %s are out of date; go test ./docs -update (-code +manual):\n%s", name, file, diff)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tableOf makes a table; what would end a cell is escaped.
func tableOf(head string, rows [][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s\n", head, strings.Repeat("---|", strings.Count(head, "|")+1))
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

func TestCommandsPage(t *testing.T) {
	generated, err := exec.Command(callboard(t), "commands", "--format", "markdown").Output()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "commands.md", string(generated), *update)
}

func TestNamesInConditions(t *testing.T) {
	generated(t, "rules.md", "values", docTable("name | for example | what it is", when.Values()))

	isBuiltin := false
	var helpers, builtins []when.Doc
	for _, f := range when.Functions() { // helpers first, then expr's own, which begin with len
		isBuiltin = isBuiltin || f.Name == "len"
		if isBuiltin {
			builtins = append(builtins, f)
		} else {
			helpers = append(helpers, f)
		}
	}
	generated(t, "rules.md", "helpers", docTable("helper | for example | what it is", helpers))
	generated(t, "rules.md", "builtins", docTable("function | for example | what it is", builtins))
	generated(t, "rules.md", "constants", constantLists())
	generated(t, "shaping.md", "value functions", docTable("function | for example | what it is", when.ValueFunctions()))
}

func docTable(head string, docs []when.Doc) string {
	var rows [][]string
	for _, d := range docs {
		rows = append(rows, []string{"`" + d.Name + "`", "`" + d.Usage + "`", strings.TrimSuffix(d.Summary, ".")})
	}
	return tableOf(head, rows)
}

// constantLists has an item for each group, in the catalogue's order.
func constantLists() string {
	var b strings.Builder
	constants := openim.Constants()
	for i := 0; i < len(constants); {
		group := constants[i].Group
		var names []string
		for ; i < len(constants) && constants[i].Group == group; i++ {
			names = append(names, fmt.Sprintf("`%s` %d", constants[i].Name, constants[i].Value))
		}
		writeWrapped(&b, "- "+group+": "+strings.Join(names, ", "))
	}
	return b.String()
}

// writeWrapped writes an item of a list in lines of at most 130 characters, cut behind commas.
func writeWrapped(b *strings.Builder, item string) {
	line := ""
	for _, word := range strings.SplitAfter(item, ", ") {
		if len(line)+len(word) > 130 {
			fmt.Fprintln(b, strings.TrimSpace(line))
			line = "  "
		}
		if line == "  " {
			fmt.Fprint(b, line)
			line = ""
		}
		line += word
	}
	fmt.Fprintln(b, strings.TrimSpace(line))
}

var (
	flagLine = regexp.MustCompile(`^ +(?:-\w, )?--([a-z-]+)(?:=(\S+))?(?: {2,}(.*))?$`)
	flagHelp = regexp.MustCompile(`^(.*) Default: (.*) \(\$(\w+)\)\.$`)
)

// TestFlagsOfServe draws the table from what people see: serve --help.
func TestFlagsOfServe(t *testing.T) {
	help, err := exec.Command(callboard(t), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(help), "\nFlags:\n")
	type flag struct{ name, takes, help string }
	var flags []*flag
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\n")
		if m := flagLine.FindStringSubmatch(line); m != nil {
			flags = append(flags, &flag{m[1], m[2], m[3]})
		} else if len(flags) > 0 {
			f := flags[len(flags)-1]
			f.help = strings.TrimSpace(f.help + " " + strings.TrimSpace(line))
		}
	}
	var rows [][]string
	for _, f := range flags {
		if f.name == "help" {
			continue
		}
		m := flagHelp.FindStringSubmatch(f.help)
		if m == nil {
			t.Fatalf("the help of --%s is %q", f.name, f.help)
		}
		rows = append(rows, []string{"`--" + f.name + " " + f.takes + "`", "`" + m[3] + "`", m[2], strings.TrimSuffix(m[1], ".")})
	}
	generated(t, "operations.md", "flags", tableOf("flag | variable | default | what it does", rows))
}

// A recorder is a prometheus.Registerer that only notes what it is given.
type recorder struct{ descs chan *prometheus.Desc }

func (r recorder) Register(c prometheus.Collector) error {
	c.Describe(r.descs)
	return nil
}

func (r recorder) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		_ = r.Register(c)
	}
}

func (recorder) Unregister(prometheus.Collector) bool { return false }

var (
	descText = regexp.MustCompile(`fqName: "(\w+)", help: "([^"]*)", .*variableLabels: \{([\w,]*)\}`)
	helpLine = regexp.MustCompile(`(?m)^# HELP (callboard_\w+) (.*)$`)
)

// TestMetrics draws the table from what the packages register, and adds what a running gateway has beside.
func TestMetrics(t *testing.T) {
	r := recorder{make(chan *prometheus.Desc, 1000)}
	router.New(router.Options{Registerer: r})
	table.New(table.Options{Registerer: r})
	if _, err := shadow.New(shadow.Options{Registerer: r}); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.New(t.Context(), queue.Options{Store: queuetest.NewMemory(), Registerer: r}); err != nil {
		t.Fatal(err)
	}
	kept, err := journal.Open(t.Context(), journal.Options{Path: filepath.Join(t.TempDir(), "journal.db"), Registerer: r})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := kept.Run(ctx); err != nil { // closes it
		t.Fatal(err)
	}
	close(r.descs)
	seen := map[string]bool{}
	var rows [][]string
	for desc := range r.descs {
		m := descText.FindStringSubmatch(desc.String())
		if m == nil {
			t.Fatalf("cannot read %s", desc)
		}
		seen[m[1]] = true
		name := m[1]
		if m[3] != "" {
			name += "{" + m[3] + "}"
		}
		rows = append(rows, []string{"`" + name + "`", strings.TrimSuffix(m[2], ".")})
	}
	for _, m := range helpLine.FindAllStringSubmatch(get(t, "http://"+startServer(t).Admin+"/metrics"), -1) {
		if !seen[m[1]] {
			rows = append(rows, []string{"`" + m[1] + "`", strings.TrimSuffix(m[2], ".")})
		}
	}
	generated(t, "operations.md", "metrics", tableOf("metric | meaning", rows))
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
