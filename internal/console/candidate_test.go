package console

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"callboard/internal/compare"
	"callboard/internal/diag"
	"callboard/internal/shadow"
	"callboard/internal/table"
)

// A fakeShadow has one candidate and remembers what it was told.
type fakeShadow struct {
	status shadow.Status
	did    []string
	err    error
}

func (f *fakeShadow) Status() shadow.Status { return f.status }
func (f *fakeShadow) SetShare(share float64) error {
	f.did = append(f.did, fmt.Sprint("share ", share))
	return f.err
}
func (f *fakeShadow) Resume() error {
	f.did = append(f.did, "resume")
	return f.err
}
func (f *fakeShadow) Discard() error {
	f.did = append(f.did, "discard")
	return f.err
}

func candidateOptions(f *fakeShadow, folder table.Status) Options {
	return Options{Candidate: &CandidateOptions{Shadow: f, Status: func() table.Status { return folder }, Dir: "/new", ServingDir: "/rules"}}
}

var rolledBack = shadow.Status{
	State: shadow.RolledBack, Revision: "bbb", Serving: "aaa", Key: "groupID", Callbacks: 90, Different: 2,
	RolledBack: &shadow.Rollback{At: time.Unix(1000, 0), Why: "it refused", Share: 0.05},
	Entries: []compare.Entry{{Kind: compare.Refused, Rule: "strict", Callbacks: 2,
		Samples: []compare.Sample{{ID: "cb1", Command: "beforeSendGroupMsg", Was: "allow", Now: "refuse"}}}},
}

func TestShowCandidate(t *testing.T) {
	f := &fakeShadow{status: rolledBack}
	code, got := ask[Candidate](t, admin(candidateOptions(f, table.Status{Current: true})), "GET", "/api/shadow", "")
	if code != 200 || got.State != "rolled_back" || got.Revision != "bbb" || got.ServingRevision != "aaa" || got.Dir != "/new" || got.ServingDir != "/rules" ||
		got.RolledBack.Share != "5%" || got.Why != "it refused" || got.Differences[0].Kind != "refused" || got.Differences[0].Samples[0].ID != "cb1" {
		t.Errorf("%d %+v", code, got)
	}
	code, none := ask[Problem](t, admin(Options{}), "GET", "/api/shadow", "")
	if code != 409 || !strings.Contains(none.Hint, "--shadow") {
		t.Errorf("without a candidate: %d %+v", code, none)
	}
}

func TestReadinessTellsOfTheCandidate(t *testing.T) {
	wrong := table.Status{Diagnostics: []diag.Diagnostic{{Message: "no"}}}
	for _, row := range []struct {
		name   string
		status shadow.Status
		folder table.Status
		want   CandidateBrief
	}{
		{"it is compared", shadow.Status{State: shadow.Canary, Revision: "b", Share: 0.05, Callbacks: 3, Different: 1}, table.Status{Current: true},
			CandidateBrief{State: "canary", Revision: "b", Current: true, Share: "5%", Callbacks: 3, Different: 1}},
		{"its folder is wrong", shadow.Status{State: shadow.Absent}, wrong, CandidateBrief{State: "absent", Share: "0%", Why: "its folder has errors"}},
		{"its folder is gone", shadow.Status{State: shadow.Absent}, table.Status{Err: "no such folder"}, CandidateBrief{State: "absent", Share: "0%", Why: "no such folder"}},
		{"it was rolled back", rolledBack, table.Status{Current: true},
			CandidateBrief{State: "rolled_back", Revision: "bbb", Current: true, Share: "0%", Why: "it refused", Callbacks: 90, Different: 2}},
	} {
		o := candidateOptions(&fakeShadow{status: row.status}, row.folder)
		o.Status = func() table.Status { return table.Status{LoadedAt: time.Unix(1, 0)} }
		code, got := ask[readiness](t, admin(o), "GET", "/readyz", "")
		if code != 200 || got.Status != "ready" || *got.Candidate != row.want {
			t.Errorf("%s: %d %+v, want %+v", row.name, code, *got.Candidate, row.want)
		}
	}
}

func TestChangeCandidate(t *testing.T) {
	for _, row := range []struct {
		path, body string
		err        error
		code       int
		did        string
	}{
		{"canary", `{"share": "2.5%"}`, nil, 200, "share 0.025"},
		{"canary", `{"share": "0%"}`, nil, 200, "share 0"},
		{"canary", `{"resume": true}`, nil, 200, "resume"},
		{"canary", `{"resume": true}`, shadow.ErrNotRolledBack, 409, "resume"},
		{"canary", `{"share": "5%"}`, shadow.ErrNoCandidate, 409, "share 0.05"},
		{"canary", `{}`, nil, 422, ""},
		{"canary", `{"share": "5%", "resume": true}`, nil, 422, ""},
		{"canary", `{"share": "5"}`, nil, 422, ""},
		{"canary", `{"share": "101%"}`, nil, 422, ""},
		{"canary", `{"share": "NaN%"}`, nil, 422, ""},
		{"discard", "", nil, 200, "discard"},
		{"discard", "", shadow.ErrNoCandidate, 409, "discard"},
	} {
		f := &fakeShadow{status: rolledBack, err: row.err}
		w := request(admin(candidateOptions(f, table.Status{})), "POST", "/api/shadow/"+row.path, row.body)
		if w.Code != row.code || strings.Join(f.did, ", ") != row.did {
			t.Errorf("%s %s: %d %s, did %v", row.path, row.body, w.Code, w.Body, f.did)
		}
	}
}
