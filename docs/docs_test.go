// Package docs holds the manual. Its tests run every example and every command that the manual and the README
// show, and hold tables to the code that they tell of.
package docs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"callboard/internal/diag"
	"callboard/internal/ruletest"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

var update = flag.Bool("update", false, "rewrite what is generated: commands.md, and the tables between begin and end marks")

// pages are the manual and the README, by their names as seen from here.
func pages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(files, "../README.md")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A block is one fenced example of a page.
type block struct {
	file string
	line int // of the fence
	lang string
	text string
}

func (b block) place() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// blocks returns the blocks of a language on all pages. There must be some.
func blocks(t *testing.T, lang string) []block {
	t.Helper()
	var found []block
	for _, file := range pages(t) {
		var open *block
		for i, line := range strings.Split(read(t, file), "\n") {
			fence, isFence := strings.CutPrefix(line, "```")
			switch {
			case isFence && open == nil:
				open = &block{file: file, line: i + 1, lang: fence}
			case isFence:
				if open.lang == lang {
					found = append(found, *open)
				}
				open = nil
			case open != nil:
				open.text += line + "\n"
			}
		}
		if open != nil {
			t.Errorf("%s is never closed", open.place())
		}
	}
	if len(found) == 0 {
		t.Fatalf("no page has a block of %s", lang)
	}
	return found
}

// What a block of YAML is shows in its first keys.
var (
	rulesFile    = regexp.MustCompile(`(?m)^(rules|sinks|defaults):`)
	teamsFile    = regexp.MustCompile(`(?m)^owners:`)
	testsFile    = regexp.MustCompile(`(?m)^tests:`)
	webhooksFile = regexp.MustCompile(`(?m)^url:`)
	podSpec      = regexp.MustCompile(`(?m)^ *containers:`)
	switchKey    = regexp.MustCompile(`(?m)^(\w+):$`)
)

func TestYAMLIsRight(t *testing.T) {
	for _, b := range blocks(t, "yaml") {
		switch {
		case testsFile.MatchString(b.text):
			passes(t, b)
		case rulesFile.MatchString(b.text):
			loads(t, b)
		case teamsFile.MatchString(b.text):
			loadsTeams(t, b)
		case webhooksFile.MatchString(b.text):
			namesSwitches(t, b)
		case podSpec.MatchString(b.text):
		default:
			t.Errorf("%s: this is neither rules, tests, webhooks.yml nor a pod", b.place())
		}
	}
}

// loads checks a rules file as it would load on a machine where no variable is set.
func loads(t *testing.T, b block) {
	unset := func(string) (string, bool) { return "", false }
	_, found := rules.Load([]rules.File{{Name: b.place(), Data: []byte(b.text)}}, rules.Options{LookupEnv: unset, Analyse: true})
	if len(found) > 0 {
		var text strings.Builder
		if err := diag.WriteText(&text, found); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s:\n%s", b.place(), text.String())
	}
}

// loadsTeams checks a callboard.yaml beside a rules file of each team.
func loadsTeams(t *testing.T, b block) {
	_, found := rules.Load([]rules.File{
		{Name: rules.FolderFile, Data: []byte(b.text)}, {Name: "base.yaml", Data: []byte("rules: []")},
		{Name: "moderation/words.yaml", Data: []byte("rules: []")}, {Name: "spam.yaml", Data: []byte("rules: []")},
	}, rules.Options{})
	for _, d := range found {
		t.Errorf("%s: %s", b.place(), d)
	}
}

// passes plays a file of tests on the rules of the quickstart.
func passes(t *testing.T, b block) {
	files, err := table.ReadDir("../examples/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	unset := func(string) (string, bool) { return "", false }
	set, found := rules.Load(files, rules.Options{LookupEnv: unset})
	if set == nil {
		t.Fatal(found)
	}
	var text strings.Builder
	tests, found := rules.ReadTests([]rules.File{{Name: b.place(), Data: []byte(b.text)}}, set)
	if tests != nil {
		var suite *ruletest.Suite
		if suite, found = ruletest.New(set, tests, router.Options{}, os.ReadFile); suite != nil {
			if err := ruletest.WriteText(&text, suite.Run(nil)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := diag.WriteText(&text, found); err != nil {
		t.Fatal(err)
	}
	if text.Len() > 0 {
		t.Errorf("%s:\n%s", b.place(), text.String())
	}
}

// namesSwitches checks that each switch of a webhooks.yml is one that the catalogue has.
func namesSwitches(t *testing.T, b block) {
	switches := switchKey.FindAllStringSubmatch(b.text, -1)
	if len(switches) == 0 {
		t.Errorf("%s switches nothing on", b.place())
	}
	for _, m := range switches {
		if c, ok := openim.Lookup(m[1]); !ok || c.Short != m[1] {
			t.Errorf("%s: webhooks.yml has no switch %s", b.place(), m[1])
		}
	}
}

// The documents name commands in prose as well; a name that is none is a typing mistake.
func TestCommandsInProseExist(t *testing.T) {
	short := regexp.MustCompile("`((?:before|after)[A-Z]\\w+)`")
	for _, file := range pages(t) {
		for _, m := range short.FindAllStringSubmatch(read(t, file), -1) {
			if _, ok := openim.Lookup(m[1]); !ok && m[1] != "afterGroupMsgRevoke" { // which is told to have nothing behind it
				t.Errorf("%s names %s, which is no command", file, m[1])
			}
		}
	}
}
