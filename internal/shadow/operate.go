package shadow

import (
	"errors"
	"math"
	"time"

	"callboard/internal/compare"
)

// Errors that callers branch on.
var (
	// ErrNoCandidate means that there is none: its folder has not been read yet, or it was discarded.
	ErrNoCandidate = errors.New("there is no candidate")
	// ErrNotRolledBack means that there is nothing to resume.
	ErrNotRolledBack = errors.New("the canary was not rolled back")
)

// A Rollback is that the canary went beyond its bounds.
type Rollback struct {
	At    time.Time
	Why   string
	Share float64 // that it had
}

// A State is what becomes of the candidate.
type State string

// The states.
const (
	Absent     State = "absent"      // its folder has not been usable yet
	Discarded  State = "discarded"   // by a person, until the folder changes
	Watching   State = "watching"    // it is compared and decides nothing
	Canary     State = "canary"      // it decides a share
	RolledBack State = "rolled_back" // it decided a share and went beyond a bound; it is compared
)

// A Status is how the candidate stands.
type Status struct {
	State      State
	Revision   string // of the candidate, "" where there is none
	Serving    string // revision of the table that it is compared with
	Share      float64
	Key        string
	RolledBack *Rollback
	Since      time.Time // when the comparison was begun: at the last change of either table
	Callbacks  int       // compared since
	Different  int       // of them
	Assumed    map[string]int
	Unlisted   int               // differences beyond those that are kept apart
	Entries    []compare.Entry   // the differences; samples are the first since
	Owners     map[string]string // rule of Entries → the team that answers for it, where there is one
	Window     WindowStatus
}

// A WindowStatus is what the bounds are held against: the canary's callbacks within the window, and how some of them ended.
type WindowStatus struct{ Callbacks, Refused, Failed, Matched int }

// Status may be called at any time.
func (s *Shadow) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{
		State: s.stateLocked(), Share: s.shareNow(), Key: s.o.Key, Since: s.since, Callbacks: s.report.Callbacks,
		Different: s.report.Different, Unlisted: s.report.Unlisted, Entries: s.report.Entries(), Assumed: map[string]int{},
	}
	for sink, n := range s.report.Assumed {
		status.Assumed[sink] = n
	}
	status.Owners = s.ownersLocked(status.Entries)
	if s.candidate != nil {
		status.Revision = s.candidate.Set.Revision
	}
	if s.serving != nil {
		status.Serving = s.serving.Set.Revision
	}
	if s.rolledBack != nil {
		back := *s.rolledBack
		status.RolledBack = &back
	}
	canary, _ := s.window.sum(time.Now())
	status.Window = WindowStatus{canary.callbacks, canary.refused, canary.failed, canary.matched}
	return status
}

// ownersLocked returns who answers for rules, by the word of the candidate where it has them.
func (s *Shadow) ownersLocked(entries []compare.Entry) map[string]string {
	owners := map[string]string{}
	for _, side := range []*compare.Side{s.serving, s.candidate} {
		for _, e := range entries {
			if side == nil {
				break
			}
			if r := side.Rule(e.Rule); r != nil && r.Owner != "" {
				owners[e.Rule] = r.Owner
			}
		}
	}
	return owners
}

func (s *Shadow) stateLocked() State {
	switch {
	case s.candidate == nil:
		return Absent
	case s.discarded:
		return Discarded
	case s.rolledBack != nil:
		return RolledBack
	case s.shareNow() > 0:
		return Canary
	}
	return Watching
}

func (s *Shadow) shareNow() float64 { return math.Float64frombits(s.share.Load()) }

func (s *Shadow) setShareLocked(share float64) {
	s.wanted = share
	s.share.Store(math.Float64bits(share))
}

// SetShare changes the canary's share, 0 to 1, and ends a rollback. It holds also for the candidates to come.
func (s *Shadow) SetShare(share float64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.candidate == nil || s.discarded {
		return ErrNoCandidate
	}
	s.beginLocked(share)
	s.o.Log.Warn("canary's share set by hand", "share", Percent(share), "revision", s.candidate.Set.Revision)
	return nil
}

// Resume gives a canary that was rolled back its share again.
func (s *Shadow) Resume() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.candidate == nil || s.discarded:
		return ErrNoCandidate
	case s.rolledBack == nil:
		return ErrNotRolledBack
	}
	share := s.rolledBack.Share
	s.beginLocked(share)
	s.o.Log.Warn("canary resumed by hand", "share", Percent(share), "revision", s.candidate.Set.Revision)
	return nil
}

// beginLocked judges the canary anew from now on, by what it does with a share.
func (s *Shadow) beginLocked(share float64) {
	s.rolledBack = nil
	s.window = newWindow(s.o.Bounds.Window)
	s.setShareLocked(share)
}

func (s *Shadow) rollBackLocked(now time.Time, why string) {
	s.rolledBack = &Rollback{At: now, Why: why, Share: s.shareNow()}
	s.share.Store(0)
	s.o.Log.Error("canary rolled back", "why", why, "share", Percent(s.rolledBack.Share), "revision", s.candidate.Set.Revision)
}

// Discard takes the candidate away until its folder changes.
func (s *Shadow) Discard() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.candidate == nil || s.discarded {
		return ErrNoCandidate
	}
	s.discarded, s.rolledBack = true, nil
	s.share.Store(0)
	s.o.SetCandidate(nil, nil)
	s.clearLocked()
	s.o.Log.Warn("candidate discarded by hand", "revision", s.candidate.Set.Revision)
	return nil
}
