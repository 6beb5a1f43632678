package manyrules

import (
	"bytes"
	"fmt"
	"strings"
)

// A File is one rules file.
type File struct {
	Name string
	Data []byte
}

var (
	asked    = sinkNames("moderation", 5)
	notified = sinkNames("archive", 15)
)

func sinkNames(stem string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", stem, i)
	}
	return names
}

// Files writes the rules over m files, two at least: the first has the sinks, the others have about as many rules each.
// url is where the sinks are, as in "http://127.0.0.1:8081"; each has a path of its own below. Where the rules use only
// some of the sinks, only those are written.
func (s *Set) Files(m int, url string) []File {
	m = max(m, 2)
	files := make([]File, 0, m)
	files = append(files, File{"sinks.yaml", s.sinks(url)})
	for i := range m - 1 {
		from, to := len(s.Rules)*i/(m-1), len(s.Rules)*(i+1)/(m-1)
		files = append(files, File{fmt.Sprintf("team-%04d.yaml", i), RulesFile(s.Rules[from:to])})
	}
	return files
}

// RulesFile writes rules as one file.
func RulesFile(rules []Rule) []byte {
	if len(rules) == 0 {
		return []byte("rules: []\n")
	}
	var b bytes.Buffer
	b.WriteString("rules:\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "  - name: %s\n    callbacks: [%s]\n    when: %s\n", r.Name, strings.Join(r.Callbacks, ", "), yamlText(r.When))
		for _, line := range r.does {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	return b.Bytes()
}

// yamlText writes a condition as people do: quoted only where it has to be.
func yamlText(when string) string {
	if strings.HasPrefix(when, `"`) || strings.Contains(when, ": ") {
		return "'" + strings.ReplaceAll(when, "'", "''") + "'"
	}
	return when
}

func (s *Set) sinks(url string) []byte {
	used := map[string]bool{}
	for _, r := range s.Rules {
		for _, line := range r.does {
			for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" ,[]{}:", c) }) {
				used[word] = true
			}
		}
	}
	var b bytes.Buffer
	list := func(names []string, settings string) {
		for _, name := range names {
			if used[name] {
				fmt.Fprintf(&b, "  %s:\n    url: %s/%s\n%s", name, url, name, settings)
			}
		}
	}
	list(asked, "    timeout: 150ms\n")
	list(notified, "    order_by: sendID\n")
	if b.Len() == 0 {
		return []byte("sinks: {}\n")
	}
	return append([]byte("sinks:\n"), b.Bytes()...)
}
