package console

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/explain"
	"callboard/internal/journal"
)

// told is what a fake Explainer was asked.
type told struct {
	request  explain.Request
	recorded *journal.Callback
	err      error
}

func (e *told) explain(request explain.Request, recorded *journal.Callback) (*explain.Report, error) {
	e.request, e.recorded = request, recorded
	return &explain.Report{Command: "c", Reply: []byte(`{}`)}, e.err
}

func TestExplaining(t *testing.T) {
	e := &told{}
	h := admin(Options{Journal: &fakeJournal{callbacks: []*journal.Callback{recorded(1)}}, Explain: e.explain})

	code, report := ask[explain.Report](t, h, "POST", "/api/explain", `{"body": {"groupID": "g1"}, "votes": {"s": {"vote": "refuse", "code": 7}, "t": {"answer": ""}}, "headers": {"X-A": ["1"]}, "rule": "r"}`)
	if code != 200 || report.Command != "c" {
		t.Errorf("%d %+v", code, report)
	}
	r := e.request
	if string(r.Body) != `{"groupID": "g1"}` || r.Votes["s"].Code != 7 || r.Votes["t"].Answer == nil || r.Headers.Get("X-A") != "1" || r.Rule != "r" || e.recorded != nil {
		t.Errorf("asked %s %+v", r.Body, r)
	}

	for query, want := range map[string]int{"": 5, "?nearest=0": 0, "?nearest=-1": mostNearest, "?nearest=1000": 1000} {
		request(h, "GET", "/api/explain/cb1"+query, "")
		if e.recorded == nil || e.recorded.ID != "cb1" || e.request.Nearest == nil || *e.request.Nearest != want {
			t.Errorf("GET %s: %+v", query, e.request)
		}
	}
	request(h, "POST", "/api/explain", `{"id": "cb1", "nearest": 0}`)
	if e.recorded == nil || e.request.Nearest == nil || *e.request.Nearest != 0 {
		t.Errorf("POST: %+v", e.request)
	}

	if code, p := ask[Problem](t, h, "GET", "/api/explain/cb9", ""); code != 404 || !strings.Contains(p.Detail, "cb9") {
		t.Errorf("%d %+v", code, p)
	}
	e.err = &explain.Mistake{Where: "votes.s", Err: errors.New("no sink"), Hint: "another"}
	if code, p := ask[Problem](t, h, "POST", "/api/explain", `{"body": {}}`); code != 422 || p.Hint != "another" || p.Errors[0].Location != "body.votes.s" {
		t.Errorf("%d %+v", code, p)
	}
	e.err = errors.New("no rules serve")
	if code, p := ask[Problem](t, h, "POST", "/api/explain", `{"body": {}}`); code != 409 || p.Detail != "no rules serve" {
		t.Errorf("%d %+v", code, p)
	}
	if code, _ := ask[Problem](t, admin(Options{Explain: e.explain}), "GET", "/api/explain/cb1", ""); code != 409 {
		t.Errorf("without a journal: %d", code)
	}
	if w := request(admin(Options{}), "POST", "/api/explain", `{"body": {}}`); w.Code != 404 {
		t.Errorf("without an Explainer: %d", w.Code)
	}
}

// Explaining takes a core, and of many rules much memory: one request at a time does.
func TestOneExplainsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		explaining := 0
		h := admin(Options{Explain: func(explain.Request, *journal.Callback) (*explain.Report, error) {
			if explaining++; explaining > 1 {
				t.Error("two explain at once")
			}
			time.Sleep(time.Second)
			explaining--
			return &explain.Report{Reply: []byte(`{}`)}, nil
		}})
		var wg sync.WaitGroup
		begun := time.Now()
		for range 3 {
			wg.Go(func() {
				if code, _ := ask[explain.Report](t, h, "POST", "/api/explain", `{"body": {}}`); code != 200 {
					t.Errorf("status %d", code)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
