package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/journal"
	"callboard/internal/queue"
)

// A replayed notes what a Replayer got.
type replayed struct {
	ids    []string
	sinks  []string
	dryRun bool
	err    map[string]error // callback id → what comes of it
	nobody map[string]bool  // callback id → the rules notify nobody
}

func (r *replayed) replay(_ context.Context, cb *journal.Callback, sinks []string, dryRun bool) ([]string, error) {
	r.ids, r.sinks, r.dryRun = append(r.ids, cb.ID), sinks, dryRun
	if r.nobody[cb.ID] {
		return nil, r.err[cb.ID]
	}
	return []string{"archive", "stats"}, r.err[cb.ID]
}

// journalOf has some callbacks that cannot be sent again.
func journalOf() *fakeJournal {
	j := &fakeJournal{}
	for n := 1; n <= 8; n++ {
		j.callbacks = append(j.callbacks, recorded(n))
	}
	j.callbacks[1].Body = nil
	j.callbacks[2].ReplayOf = "cb0"
	j.callbacks[3].Trouble, j.callbacks[3].Command, j.callbacks[3].Body = "too_large", "", nil
	j.callbacks[4].Trouble = "overloaded"
	j.callbacks[7].RepeatOf = "cb7"
	return j
}

func TestReplaySendsOldestFirstAndSaysWhatItSkipped(t *testing.T) {
	j, r := journalOf(), &replayed{err: map[string]error{"cb5": errors.New("no such rule any more")}, nobody: map[string]bool{"cb6": true}}
	h := admin(Options{Queue: &fakeQueue{sinks: []queue.SinkStatus{{Name: "archive"}}}, Journal: j, Replay: r.replay})
	code, report := ask[ReplayReport](t, h, "POST", "/api/replay", `{"group_id": "g1", "sinks": ["archive"]}`)
	want := ReplayReport{Callbacks: 2, Deliveries: 4, Skipped: map[string]int{
		skipNoBody: 1, skipReplay: 1, skipRepeat: 1, skipTrouble: 1, skipNobody: 1, "no such rule any more": 1,
	}}
	if code != 200 || !cmp.Equal(report, want) {
		t.Errorf("POST /api/replay = %d\n%s", code, cmp.Diff(want, report))
	}
	if !cmp.Equal(r.ids, []string{"cb1", "cb5", "cb6", "cb7"}) || !cmp.Equal(r.sinks, []string{"archive"}) || r.dryRun {
		t.Errorf("replayed %+v", r)
	}
	if until := j.asked[0].Until; until.IsZero() || until.After(time.Now()) {
		t.Errorf("a replay could meet what it records itself: until %v", until)
	}
	ask[ReplayReport](t, h, "POST", "/api/replay", `{"all": true, "dry_run": true}`)
	if !r.dryRun || r.sinks != nil {
		t.Errorf("a dry run with all sinks came as %+v", r)
	}
}

func TestReplayToASinkThatThereIsNotIsRefused(t *testing.T) {
	j, r := journalOf(), &replayed{}
	h := admin(Options{Queue: &fakeQueue{sinks: []queue.SinkStatus{{Name: "archive"}}}, Journal: j, Replay: r.replay})
	code, p := ask[Problem](t, h, "POST", "/api/replay", `{"all": true, "sinks": ["archive", "archiv"]}`)
	if code != 404 || p.Hint != `did you mean "archive"?` || len(r.ids) > 0 {
		t.Errorf("%d %+v after %v", code, p, r.ids)
	}
}

func TestReplayStopsWhenNothingMoreIsAccepted(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		draining bool
		want     string
	}{
		"full":     {fmt.Errorf("appending: %w", queue.ErrFull), false, "the queue is full"},
		"closed":   {queue.ErrClosed, false, "the queue is closed"},
		"draining": {nil, true, "shutting down"},
	} {
		r := &replayed{err: map[string]error{"cb1": test.err}}
		h := admin(Options{Queue: &fakeQueue{}, Journal: journalOf(), Replay: r.replay, Draining: func() bool { return test.draining }})
		code, report := ask[ReplayReport](t, h, "POST", "/api/replay", `{"all": true}`)
		if code != 200 || !strings.Contains(report.Stopped, test.want) || report.Callbacks != 0 || len(r.ids) > 1 {
			t.Errorf("%s: %d %+v after %v", name, code, report, r.ids)
		}
	}
}

func TestReplayStopsWhenItsClientGoesAway(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j, r := journalOf(), &replayed{}
	j.onYield = func(_ context.Context, id string) {
		if id == "cb5" {
			cancel()
		}
	}
	serve(admin(Options{Queue: &fakeQueue{}, Journal: j, Replay: r.replay}), newRequest("POST", "/api/replay", `{"all": true}`).WithContext(ctx))
	if !cmp.Equal(r.ids, []string{"cb1"}) {
		t.Errorf("replayed %v, want cb1 only", r.ids)
	}
}

// The same over a connection, on which net/http has to notice it, and later than any time limit of the server.
func TestReplayStopsWhenTheConnectionOfItsClientEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		j, began, stopped := journalOf(), time.Now(), time.Duration(0)
		j.callbacks[0].At = began.Add(-time.Minute) // a bubble's time is before all others
		j.onYield = func(ctx context.Context, _ string) {
			<-ctx.Done()
			stopped = time.Since(began)
		}
		r, err := http.NewRequestWithContext(ctx, "POST", "http://admin:80/api/replay", strings.NewReader(`{"all": true}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if resp, err := client(t, admin(Options{Queue: &fakeQueue{}, Journal: j, Replay: new(replayed).replay})).Do(r); err == nil {
			t.Errorf("the client got %s", resp.Status)
		}
		synctest.Wait()
		if stopped != time.Hour {
			t.Errorf("stopped after %v, want an hour", stopped)
		}
	})
}

func TestOneReplayAtATime(t *testing.T) {
	j := journalOf()
	h := admin(Options{Queue: &fakeQueue{}, Journal: j, Replay: new(replayed).replay})
	second := 0
	j.onYield = func(context.Context, string) {
		j.onYield = nil
		second, _ = ask[Problem](t, h, "POST", "/api/replay", "\n")
	}
	if first, _ := ask[ReplayReport](t, h, "POST", "/api/replay", `{"all": true}`); first != 200 || second != 409 {
		t.Errorf("the first got %d, the second %d", first, second)
	}
	if third, _ := ask[ReplayReport](t, h, "POST", "/api/replay", `{"all": true}`); third != 200 {
		t.Errorf("one after the other got %d", third)
	}
}

func TestReplayOfLines(t *testing.T) {
	j := journalOf()
	export := request(admin(Options{Journal: j}), "GET", "/api/callbacks/export", "").Body.String()
	r := &replayed{}
	q := &fakeQueue{sinks: []queue.SinkStatus{{Name: "a"}, {Name: "b"}}}
	h := admin(Options{Queue: q, Replay: r.replay}) // needs no journal of its own
	code, report := ask[ReplayReport](t, h, "POST", "/api/replay?sinks=a&sinks=b&dry_run=true", "\n"+export+`{"missed": 3}`+"\n")
	want := ReplayReport{Callbacks: 4, Deliveries: 8, DryRun: true,
		Skipped: map[string]int{skipNoBody: 1, skipReplay: 1, skipRepeat: 1, skipTrouble: 1}}
	if code != 200 || !cmp.Equal(report, want) || !cmp.Equal(r.sinks, []string{"a", "b"}) || !r.dryRun {
		t.Errorf("%d %+v, replayed %+v", code, report, r)
	}
	r = &replayed{}
	h = admin(Options{Queue: &fakeQueue{}, Replay: r.replay})
	first, _, _ := strings.Cut(export, "\n")
	code, report = ask[ReplayReport](t, h, "POST", "/api/replay", first+"\n"+`{"groupID": "g1"}`+"\n"+first+"\n")
	if code != 200 || !strings.HasPrefix(report.Stopped, "line 2: no \"command\"") || !cmp.Equal(r.ids, []string{"cb1"}) {
		t.Errorf("a line that is none: %d %+v after %v", code, report, r.ids)
	}
}

func TestReasonsOfAReplayAreBounded(t *testing.T) {
	run := &replayRun{report: ReplayReport{Skipped: map[string]int{}}}
	for n := range 3 * maxReasons {
		run.skip(fmt.Sprint("reason ", n))
	}
	if len(run.report.Skipped) != maxReasons+1 || run.report.Skipped[skipOther] != 2*maxReasons {
		t.Errorf("%d reasons, of which %d others", len(run.report.Skipped), run.report.Skipped[skipOther])
	}
}
