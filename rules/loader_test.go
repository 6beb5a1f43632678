package rules

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/internal/manyrules"
	"callboard/openim"
)

// Whatever happens to the files and to what their references stand for, a Loader that has seen it all returns what one
// does that has seen nothing, and what it returned before stays as it was.
func TestLoadingAgainIsLoadingAfresh(t *testing.T) {
	contents := slices.Collect(maps.Values(loaderFiles))
	for _, dir := range []string{"ok", "bad"} {
		for _, files := range corpus(t, dir) {
			for _, f := range files {
				contents = append(contents, string(f.Data))
			}
		}
	}
	slices.Sort(contents)
	good := slices.Sorted(maps.Values(loaderFiles))
	rapid.Check(t, func(t *rapid.T) {
		env := map[string]string{}
		o := corpusOptions
		o.LookupEnv = func(name string) (string, bool) {
			if v, ok := env[name]; ok {
				return v, true
			}
			return corpusOptions.LookupEnv(name)
		}
		names := []string{"a.yaml", "b.yaml", "c.yaml", "d.yaml", "team/e.yaml", FolderFile}
		files := map[string]string{"a.yaml": loaderFiles["sinks"], "b.yaml": loaderFiles["more"], "c.yaml": loaderFiles["asks"], "d.yaml": loaderFiles["told"]}
		loader := NewLoader(o)
		loader.Workers = rapid.IntRange(0, 3).Draw(t, "workers")
		type published struct {
			set  *Set
			text string
		}
		var before []published
		load := func() {
			var list []File
			for _, name := range slices.Sorted(maps.Keys(files)) {
				list = append(list, File{name, []byte(files[name])})
			}
			loader.o.Now = o.Now // as the clock goes on while a Loader lives
			set, found := loader.Load(list)
			want, wantFound := Load(list, o)
			if diff := cmp.Diff(wantFound, found); diff != "" {
				t.Fatalf("findings differ (-afresh +again):\n%s", diff)
			}
			if diff := cmp.Diff(described(want), described(set)); diff != "" {
				t.Fatalf("tables differ (-afresh +again):\n%s", diff)
			}
			if work := loader.Work(); work.FilesRead+work.FilesKept != len(list) {
				t.Fatalf("of %d files, %+v", len(list), work)
			}
			before = append(before, published{set, described(set)})
		}
		name := rapid.SampledFrom(names)
		content := rapid.OneOf(rapid.SampledFrom(good), rapid.SampledFrom(good), rapid.SampledFrom(contents))
		t.Repeat(map[string]func(*rapid.T){
			"write":  func(t *rapid.T) { files[name.Draw(t, "name")] = content.Draw(t, "content") },
			"remove": func(t *rapid.T) { delete(files, name.Draw(t, "name")) },
			"rename": func(t *rapid.T) {
				from, to := name.Draw(t, "from"), name.Draw(t, "to")
				if text, ok := files[from]; ok {
					delete(files, from)
					files[to] = text
				}
			},
			"edit": func(t *rapid.T) {
				n := name.Draw(t, "name")
				words := rapid.SampledFrom([]string{"u1:u2", "allow:refuse", "archive:risk", "priority: 3:priority: 4", "http://:https://", "\n:\n\n", "team/:te*/", "refuse:stop", "30s:40s",
					"expired-rule:expired", "owner: a:owner: b"})
				from, to, _ := strings.Cut(words.Draw(t, "words"), ":")
				files[n] = strings.Replace(files[n], from, to, 1)
				if files[n] == "" {
					delete(files, n)
				}
			},
			"secret": func(t *rapid.T) {
				env[rapid.SampledFrom([]string{"TENANT", "MODERATION_URL", "HOST"}).Draw(t, "variable")] = rapid.SampledFrom([]string{"", "acme", "http://moderation", "9"}).Draw(t, "value")
			},
			"move a rule": func(t *rapid.T) {
				from, to := name.Draw(t, "from"), name.Draw(t, "to")
				head, last, ok := strings.Cut(files[from], "\n  - ")
				if ok && strings.Contains(files[to], "\nrules:\n") {
					files[from], files[to] = head+"\n", files[to]+"  - "+last
				}
			},
			"clock": func(t *rapid.T) {
				o.Now = time.Date(2026, 12, rapid.IntRange(1, 31).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
			},
			"": func(*rapid.T) { load() },
		})
		for _, p := range before {
			if got := described(p.set); got != p.text {
				t.Fatalf("a table has changed after it was returned (-then +now):\n%s", cmp.Diff(p.text, got))
			}
		}
	})
}

// loaderFiles go together: rules here, sinks there, defaults, references.
var loaderFiles = map[string]string{
	"sinks": "sinks:\n  archive: {url: 'http://archive', order_by: groupID, set: {fields: {by: sendID}}}\n  risk: {url: 'http://risk', on_failure: refuse, cache: {key: sendID, ttl: 30s}}\n",
	"more":  "sinks:\n  moderation: {url: '${env:MODERATION_URL}'}\n",
	"asks":  "rules:\n  - {name: asks, callbacks: [beforeSendGroupMsg], when: sendID == \"u1\", await: {sinks: [risk, moderation]}, notify: archive}\n",
	"votes": "defaults: {rules: {await: {on_failure: {risk: abstain}}, priority: 3}}\nrules:\n  - {name: votes, callbacks: beforeSendGroupMsg, await: {sinks: risk, on_failure: allow}}\n  - {name: default votes, callbacks: [afterSendGroupMsg], await: {sinks: risk}}\n",
	"told":  "rules:\n  - {name: told, callbacks: [afterSendGroupMsg], when: 'sendID == \"${env:TENANT}\"', notify: [archive]}\n  - {name: told too, callbacks: [beforeAddBlack], notify: [archive, moderation]}\n",
	"stops": "rules:\n  - {name: stops, callbacks: [beforeSendGroupMsg], priority: 9, stop: true}\n",
	"dedup": "dedup: {window: 10m, key: clientMsgID}\nrules: [{name: deduped, reply: allow}]\n",
	"none":  "rules: []\n",
	"teams": "owners:\n  a: {files: team/**, callbacks: [beforeSendGroupMsg, afterSendGroupMsg], sinks: [risk], powers: [refuse], priority: {max: 5}}\n  b: {files: c.yaml, groups: [\"u*\"]}\n",
	"owned": "owners:\n  a: {files: [a.yaml, b.yaml, c.yaml, d.yaml, team/]}\nunowned: refuse\n",
	"ends":  "rules:\n  # callboard:ignore expired-rule until the drill is over\n  - {name: ends, callbacks: [afterSendGroupMsg], expires: 2026-12-09, owner: a, notify: archive}\n  - {name: ends too, callbacks: [afterSendGroupMsg], when: 'groupID == \"g\"', expires: 2026-12-20, labels: {x: \"1\"}, notify: risk}\n",
	"shape": "sinks:\n  shaped: {url: 'http://shaped', set: {headers: {x-by: sendID}}, body: '{\"from\": sendID}', batch: {max: 10, wait: 50ms}}\n" +
		"rules:\n  - {name: shapes, callbacks: [afterSendGroupMsg], notify: shaped}\n  - {name: shapes more, callbacks: [beforeAddBlack], notify: shaped}\n",
}

// described is everything about a table that can be seen or makes a difference.
func described(s *Set) string {
	if s == nil {
		return "no table"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "revision %s\n", s.Revision)
	if s.Dedup != nil {
		fmt.Fprintf(&b, "dedup %s %q\n", s.Dedup.Window, s.Dedup.Key)
	}
	for _, sink := range s.Sinks {
		shown := *sink
		shown.Shaper = nil // an address
		fmt.Fprintf(&b, "sink %+v\n", shown)
	}
	for _, r := range s.Rules {
		fmt.Fprintf(&b, "rule %s of %q at %s:%d until %s, labels %v, priority %d stop %t, %t, callbacks %v %v", r.Name, r.Owner, r.File, r.Line, r.Expires, r.Labels, r.Priority, r.Stop, r.MatchOnErr, shortNames(r.Callbacks), r.Unknown)
		if r.cond != nil {
			fmt.Fprintf(&b, " when %q (%q)", r.When, r.cond.Source())
		}
		if r.Await != nil {
			await := *r.Await
			if await.Linger != nil {
				fmt.Fprintf(&b, " linger %t", *await.Linger)
				await.Linger = nil
			}
			fmt.Fprintf(&b, " await %+v", await)
		}
		if r.Reply != nil {
			fmt.Fprintf(&b, " reply %+v", *r.Reply)
		}
		for i, to := range r.targets {
			at, found := slices.BinarySearchFunc(s.Sinks, to.sink.Name, func(s *Sink, name string) int { return strings.Compare(s.Name, name) })
			fmt.Fprintf(&b, " notify %s (of this table: %t)", r.Notify[i], found && s.Sinks[at] == to.sink)
			if to.key != nil {
				fmt.Fprintf(&b, " by %q of %v", to.key.Source(), to.key.Reads())
			}
		}
		b.WriteByte('\n')
	}
	for _, name := range []string{"beforeSendGroupMsg", "afterSendGroupMsg", "beforeAddBlack"} {
		c, _ := openim.Lookup(name)
		body := bytes.Replace(openim.Sample(c), []byte(`"sendID":"u-1001"`), []byte(`"sendID":"u1"`), 1)
		cb, err := openim.Decode(openim.Request{Path: "/" + c.Name, Body: body})
		if err != nil {
			panic(err)
		}
		plan := s.Match(cb, time.Time{})
		fmt.Fprintf(&b, "%s matches %s, notes %v\n", name, names(plan.Matched), plan.Notes)
		for _, n := range plan.Notify {
			fmt.Fprintf(&b, "  notifies %s by %q for %v\n", n.Sink.Name, n.Key, n.Rules)
		}
	}
	return b.String()
}

// One file of many has changed: it alone is read, and of its conditions those are compiled that are new.
func TestOnlyWhatChangedIsLoadedAgain(t *testing.T) {
	made := manyrules.New(manyrules.Selective, 1000, 1)
	var files []File
	for _, f := range made.Files(51, "http://sinks.internal") {
		files = append(files, File(f))
	}
	loader := NewLoader(Options{})
	loader.Workers = 4
	load := func(what string, want Work) *Set {
		t.Helper()
		set, found := loader.Load(files)
		if set == nil {
			t.Fatalf("%s: %v", what, found)
		}
		if got := loader.Work(); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		return set
	}
	set, found := loader.Load(files)
	if set == nil || len(found) > 0 {
		t.Fatal(found)
	}
	load("nothing changed", Work{FilesKept: 51, ConditionsKept: 1000})

	files[7].Data = bytes.Replace(files[7].Data, []byte("when: "), []byte("when: contentType == Text && "), 2)
	changed := load("two conditions of a file changed", Work{FilesRead: 1, FilesKept: 50, Compiled: 2, ConditionsKept: 998})
	same := 0
	for i, r := range changed.Rules {
		if r == set.Rules[i] {
			same++
		}
	}
	if same != 980 {
		t.Errorf("%d rules of 1000 are those of the last table, want those of the other files: 980", same)
	}
	files[7].Data = append([]byte("# moved down\n"), files[7].Data...)
	load("a comment was added", Work{FilesRead: 1, FilesKept: 50, ConditionsKept: 1000})
	files = slices.Delete(files, 7, 8)
	load("a file is gone", Work{FilesKept: 50, ConditionsKept: 980})
}

// The order_by of a sink reads what the rules' callbacks carry, also when the rules change and the sink does not.
func TestKeysFollowTheRules(t *testing.T) {
	sinks := File{"sinks.yaml", []byte("sinks: {archive: {url: 'http://archive', order_by: groupType}}")}
	rule := func(callback string) File {
		return File{"rules.yaml", []byte("rules: [{name: r, callbacks: " + callback + ", notify: archive}]")}
	}
	loader := NewLoader(Options{})
	for callback, groupType := range map[string]string{"beforeApplyJoinGroup": `"2"`, "beforeCreateGroup": "2"} {
		set, found := loader.Load([]File{rule(callback), sinks})
		if set == nil {
			t.Fatal(found)
		}
		cb, err := openim.Decode(openim.Request{Path: "/" + wireName(t, callback), Body: []byte(`{"groupType":` + groupType + `}`)})
		if err != nil {
			t.Fatal(err)
		}
		if plan := set.Match(cb, time.Time{}); len(plan.Notify) != 1 || plan.Notify[0].Key != "2" {
			t.Errorf("%s with groupType %s notifies %+v, want the key 2", callback, groupType, plan.Notify)
		}
	}
}

func wireName(t *testing.T, short string) string {
	t.Helper()
	c, ok := openim.Lookup(short)
	if !ok {
		t.Fatalf("no command %s", short)
	}
	return c.Name
}
