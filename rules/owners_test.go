package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/diag"
)

// A Loader keeps rules that are part of a Set: another owner must not show in the Set that serves.
func TestOwnersFollowTheirFile(t *testing.T) {
	folder := func(team string) File {
		return File{Name: "rules/callboard.yaml", Data: []byte("owners: {" + team + ": {files: growth}}\n")}
	}
	rules := File{Name: "rules/growth/a.yaml", Data: []byte("rules: [{name: hello, callbacks: [beforeSendGroupMsg], reply: allow}]\n")}
	l := NewLoader(corpusOptions)
	owner := func(files ...File) *Set {
		t.Helper()
		set, found := l.Load(files)
		if diag.HasErrors(found) {
			t.Fatalf("Load finds %v", found)
		}
		return set
	}
	first, second, third, last := owner(folder("growth"), rules), owner(folder("growth"), rules), owner(folder("platform"), rules), owner(rules)
	if got, want := []string{first.Rules[0].Owner, third.Rules[0].Owner, last.Rules[0].Owner}, []string{"growth", "platform", ""}; !cmp.Equal(got, want) {
		t.Errorf("owners %q, want %q", got, want)
	}
	if first.Rules[0] != second.Rules[0] {
		t.Error("a rule whose owner is the same is made anew")
	}
	if first.Revision == third.Revision {
		t.Error("callboard.yaml is not part of the revision")
	}
}
