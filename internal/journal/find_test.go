package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// admits is what Filter promises, as plainly as it can be said.
func (f Filter) admits(c *Callback) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	verdict := is(f.Verdict, c.Verdict)
	if f.Verdict == "trouble" {
		verdict = c.Trouble != ""
	}
	return is(f.ID, c.ID) && is(f.OperationID, c.OperationID) && is(f.MessageID, c.MessageID) && is(f.GroupID, c.GroupID) &&
		is(f.SenderID, c.SenderID) && is(f.Command, c.Command) && verdict &&
		(f.Rule == "" || slices.Contains(c.Rules, f.Rule)) &&
		(f.Sink == "" || slices.Contains(c.Asked, f.Sink) || slices.Contains(c.Notified, f.Sink)) &&
		(!f.Unmatched || len(c.Rules) == 0) &&
		(f.Since.IsZero() || !c.At.Before(f.Since)) && (f.Until.IsZero() || c.At.Before(f.Until))
}

func scan(all []*Callback, f Filter, oldestFirst bool) []*Callback {
	var out []*Callback
	for _, c := range all {
		if f.admits(c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *Callback) int {
		if !oldestFirst {
			a, b = b, a
		}
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	return out
}

var (
	anyTime = rapid.Custom(func(t *rapid.T) time.Time {
		return noon.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "ms")) * time.Millisecond)
	})
	anyText  = rapid.SampledFrom([]string{"", "", "a", "b", "ab", "trouble", "ü"})
	anyNames = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 2)
)

func drawCallback(t *rapid.T, n int) *Callback {
	c := &Callback{
		ID: fmt.Sprintf("id-%d", n), At: anyTime.Draw(t, "at"), Duration: time.Duration(n), Command: anyText.Draw(t, "command"),
		Source: anyText.Draw(t, "source"), OperationID: anyText.Draw(t, "operation"), MessageID: anyText.Draw(t, "message"),
		GroupID: anyText.Draw(t, "group"), SenderID: anyText.Draw(t, "sender"), Rules: anyNames.Draw(t, "rules"),
		Asked: anyNames.Draw(t, "asked"), Notified: anyNames.Draw(t, "notified"),
		Verdict: rapid.SampledFrom([]string{"allow", "refuse"}).Draw(t, "verdict"), Code: int32(-n), Trouble: anyText.Draw(t, "trouble"),
		Body: rapid.SampledFrom([][]byte{nil, {}, []byte("{}"), []byte(strings.Repeat("x", 7000))}).Draw(t, "body"),
	}
	for _, list := range []*[]string{&c.Rules, &c.Asked, &c.Notified} {
		if len(*list) == 0 {
			*list = nil // as it comes back
		}
	}
	return c
}

func drawFilter(t *rapid.T) Filter {
	// Most fields are empty mostly, or nothing would be found.
	text := func(name string) string {
		if rapid.IntRange(0, 4).Draw(t, name+"?") > 0 {
			return ""
		}
		return anyText.Draw(t, name)
	}
	f := Filter{
		OperationID: text("operation"), MessageID: text("message"), GroupID: text("group"), SenderID: text("sender"),
		Command: text("command"), Rule: text("rule"), Sink: text("sink"),
		Verdict:   rapid.SampledFrom([]string{"", "", "allow", "refuse", "trouble"}).Draw(t, "verdict"),
		Unmatched: rapid.IntRange(0, 4).Draw(t, "unmatched") == 0,
	}
	if rapid.Bool().Draw(t, "since?") {
		f.Since = anyTime.Draw(t, "since")
	}
	if rapid.Bool().Draw(t, "until?") {
		f.Until = anyTime.Draw(t, "until").Add(time.Microsecond * time.Duration(rapid.IntRange(0, 1).Draw(t, "a bit more")))
	}
	if rapid.IntRange(0, 9).Draw(t, "id?") == 0 {
		f.ID = fmt.Sprintf("id-%d", rapid.IntRange(0, 60).Draw(t, "id"))
	}
	return f
}

// Whatever is recorded, written, merged, opened again and removed: Find equals a plain scan.
func TestFindEqualsAScan(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		dir, run := t.TempDir(), 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			o := o
			o.Path = filepath.Join(dir, fmt.Sprint(run))
			o.MaxBytes = 1 << 20 // so chunks are of 16 KiB
			o.MaxAge = ever
			j, err := Open(t.Context(), o)
			if err != nil {
				rt.Fatal(err)
			}
			defer func() { shut(t, j) }()
			var all []*Callback
			recorded := 0
			rt.Repeat(map[string]func(*rapid.T){
				"record": func(rt *rapid.T) {
					for range rapid.IntRange(1, 5).Draw(rt, "callbacks") {
						c := drawCallback(rt, recorded)
						recorded++
						all = append(all, c)
						j.Callback(c)
						j.Attempt(&Attempt{CallbackID: c.ID, At: c.At})
					}
				},
				"write": func(*rapid.T) { write(t, j) },
				"reopen": func(rt *rapid.T) {
					if rapid.IntRange(0, 3).Draw(rt, "reopen?") > 0 {
						return // it takes long, compared to the rest
					}
					shut(t, j)
					if j, err = Open(t.Context(), o); err != nil {
						rt.Fatal(err)
					}
				},
				"remove the oldest": func(*rapid.T) {
					j.mu.Lock()
					if len(j.written) > 1 {
						n := j.written[0].callbacks
						if err := j.removeLocked(context.Background(), []int64{j.written[0].id}); err != nil {
							rt.Fatal(err)
						}
						all = all[n:]
					}
					j.mu.Unlock()
				},
				"find": func(rt *rapid.T) {
					f, oldestFirst := drawFilter(rt), rapid.Bool().Draw(rt, "oldest first")
					if diff := differ(scan(all, f, oldestFirst), find(t, j, f, oldestFirst)); diff != "" {
						rt.Fatalf("Find(%+v, oldestFirst %v): %s", f, oldestFirst, diff)
					}
				},
				"": func(rt *rapid.T) {
					if diff := differ(scan(all, Filter{}, false), find(t, j, Filter{}, false)); diff != "" {
						rt.Fatalf("Find of all: %s", diff)
					}
				},
			})
		})
	})
}

func TestFindStopsWhenAsked(t *testing.T) {
	j := open(t, Options{Path: filepath.Join(t.TempDir(), "journal.db")})
	for n := range 2000 {
		j.Callback(sample(noon.Add(time.Duration(n)*time.Second), n))
	}
	write(t, j)
	n := 0
	err := j.Find(t.Context(), Filter{}, false, func(*Callback) bool { n++; return n < 3 })
	if n != 3 || err != nil {
		t.Errorf("%d callbacks and %v, want 3 and no error", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Find(ctx, Filter{}, false, func(*Callback) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("Find with a cancelled context: %v", err)
	}
}

// A callback that took long is recorded after younger ones, and found in its place all the same.
func TestFindPutsLateRecordsInTheirPlace(t *testing.T) {
	j := open(t, Options{Path: filepath.Join(t.TempDir(), "journal.db")})
	for _, ms := range []int{10, 20, 30} {
		j.Callback(&Callback{ID: fmt.Sprint(ms), At: noon.Add(time.Duration(ms) * time.Millisecond)})
	}
	write(t, j)
	for _, ms := range []int{15, 40, 5} {
		j.Callback(&Callback{ID: fmt.Sprint(ms), At: noon.Add(time.Duration(ms) * time.Millisecond)})
	}
	write(t, j)
	j.Callback(&Callback{ID: "25", At: noon.Add(25 * time.Millisecond)})
	if got, want := ids(find(t, j, Filter{}, true)), []string{"5", "10", "15", "20", "25", "30", "40"}; !slices.Equal(got, want) {
		t.Errorf("oldest first: %v, want %v", got, want)
	}
	if got, want := ids(find(t, j, Filter{}, false)), []string{"40", "30", "25", "20", "15", "10", "5"}; !slices.Equal(got, want) {
		t.Errorf("newest first: %v, want %v", got, want)
	}
}

func TestAttemptsHoursLaterAreFound(t *testing.T) {
	j := open(t, Options{Path: filepath.Join(t.TempDir(), "journal.db")})
	c := sample(noon, 1)
	j.Callback(c)
	write(t, j)
	for _, hours := range []int{5, 3} {
		j.Attempt(&Attempt{CallbackID: c.ID, Sink: "archive", At: noon.Add(time.Duration(hours) * time.Hour), Attempt: hours})
		write(t, j)
	}
	j.Attempt(&Attempt{CallbackID: c.ID, Sink: "archive", At: noon.Add(9 * time.Hour), Attempt: 9})
	_, as, err := j.Get(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, a := range as {
		got = append(got, a.Attempt)
	}
	if want := []int{3, 5, 9}; !slices.Equal(got, want) {
		t.Errorf("attempts %v, want %v", got, want)
	}
}

// The clock was an hour fast when the id was made.
func TestGetAfterTheClockWasSetBack(t *testing.T) {
	j := open(t, Options{Path: filepath.Join(t.TempDir(), "journal.db")})
	c := &Callback{ID: ulid(noon.Add(time.Hour), 1), At: noon}
	j.Callback(c)
	write(t, j)
	if _, _, err := j.Get(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
}

func TestULIDTime(t *testing.T) {
	if ms, ok := ulidTime(ulid(noon, 7)); !ok || ms != noon.UnixMilli() {
		t.Errorf("%d %v, want %d", ms, ok, noon.UnixMilli())
	}
	if ms, ok := ulidTime("01ARZ3NDEKTSV4RRFFQ69G5FAV"); !ok || ms != 1469922850259 { // the example of the specification
		t.Errorf("%d %v, want 1469922850259", ms, ok)
	}
	for _, id := range []string{"", "short", "01arz3ndiltsv4rrffq69g5fau", strings.Repeat("-", 26)} {
		if ms, ok := ulidTime(id); ok && strings.ContainsAny(id[:10], "-ilou") {
			t.Errorf("%q has time %d, want none", id, ms)
		}
	}
}

func TestTermsAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOf(rapid.Uint32Range(0, 50)).Draw(t, "set")
		want := rapid.SliceOf(rapid.Uint32Range(0, 50)).Draw(t, "want")
		all := true
		for _, w := range want {
			all = all && slices.Contains(set, w)
		}
		packed := packTerms(sortTerms(slices.Clone(set)))
		if got := holdsTerms(packed, want); got != all {
			t.Errorf("holdsTerms = %v, want %v", got, all)
		}
		if back := appendPacked(nil, packed); !slices.Equal(back, sortTerms(slices.Clone(set))) {
			t.Errorf("unpacked %v", back)
		}
	})
}

// Hashes are on disk.
func TestHashesStay(t *testing.T) {
	if got := hashTerm(cGroup, "support-1"); got != 0x8e7cdfcd {
		t.Errorf("hash %#x: journals that were written by other versions can no longer be searched", got)
	}
}

// What a search reads of memory stays, though the journal uses its memory again.
func TestASearchKeepsWhatWasNotWritten(t *testing.T) {
	j := open(t, Options{Path: filepath.Join(t.TempDir(), "journal.db")})
	record := func(id string) {
		for n := range 10 {
			j.Callback(&Callback{ID: fmt.Sprint(id, n), At: noon.Add(time.Duration(n) * time.Second)})
		}
	}
	for range 3 { // memory that is large enough, so that it is not left for another
		record("big")
		record("big")
		write(t, j)
	}
	record("old")
	var got []string
	err := j.Find(t.Context(), Filter{}, true, func(c *Callback) bool {
		if strings.HasPrefix(c.ID, "big") {
			return true
		}
		if len(got) == 0 {
			for range 3 {
				record("new")
				write(t, j)
			}
		}
		got = append(got, c.ID)
		return true
	})
	want := []string{"old0", "old1", "old2", "old3", "old4", "old5", "old6", "old7", "old8", "old9"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
