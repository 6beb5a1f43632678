package explain

import (
	"encoding/json"
	"time"
)

// A Report is everything that there is to say of a callback. Names are only ever added, never changed.
type Report struct {
	Command  string          `json:"command"`
	Known    bool            `json:"known" doc:"Whether the catalogue knows the command."`
	Phase    string          `json:"phase"`
	Source   string          `json:"source"`
	Now      time.Time       `json:"now" doc:"What conditions read as now."`
	From     string          `json:"rules_from" doc:"Where the rules are from."`
	Revision string          `json:"revision"`
	Unknown  []string        `json:"unknown,omitempty" doc:"What nothing is known of; the verdict takes it as empty."`
	Rules    []Rule          `json:"rules" doc:"All, in the order of matching."`
	Near     []string        `json:"near,omitempty" doc:"Names of those for this callback that do not match, nearest first."`
	Asked    []Asked         `json:"asked"`
	Unasked  []string        `json:"unasked,omitempty" doc:"Sinks that were answered for and not asked."`
	Counts   []Count         `json:"counts,omitempty" doc:"What the policy of each rule did with its votes."`
	Notified []Notified      `json:"notified"`
	Shaped   []Shaped        `json:"shaped,omitempty" doc:"What sinks get where it is not the callback as it came, and what their votes are kept under."`
	Verdict  Verdict         `json:"verdict"`
	Why      string          `json:"why"`
	Notes    []string        `json:"notes"`
	Reply    json.RawMessage `json:"reply"`
	Recorded *Recorded       `json:"recorded,omitempty" doc:"What came of it when it was recorded."`
}

// A Rule is what one rule makes of the callback.
type Rule struct {
	Name     string    `json:"name"`
	File     string    `json:"file"`
	Line     int       `json:"line"`
	Matched  bool      `json:"matched"`
	MayMatch bool      `json:"may_match,omitempty" doc:"It depends on what is not known."`
	Foreign  bool      `json:"foreign,omitempty" doc:"It is for other callbacks."`
	Reason   string    `json:"reason"`
	Error    string    `json:"error,omitempty"`
	When     string    `json:"when,omitempty"`
	Parts    []Part    `json:"parts" doc:"Of the condition; empty where it was not taken apart."`
	Indexing *Indexing `json:"indexing,omitempty" doc:"How it is found; absent where the condition was not taken apart."`
	Missing  []Missing `json:"missing,omitempty" doc:"The least comparisons that would have had to come out otherwise."`
	Does     []string  `json:"does,omitempty" doc:"What it does when it matches, in words."`
	Await    *Await    `json:"await,omitempty"`
	Notify   []string  `json:"notify,omitempty"`
	Metadata
}

// A Part is a part of a condition.
type Part struct {
	Depth   int    `json:"depth"`
	Text    string `json:"text"`
	Value   string `json:"value"`
	Truth   string `json:"truth,omitempty" doc:"true, false or unknown; absent for a value that is only compared."`
	Error   bool   `json:"error,omitempty"`
	Skipped bool   `json:"skipped,omitempty" doc:"What stands before it had decided."`
}

// A Missing is a comparison that would have had to come out otherwise.
type Missing struct {
	Part   string `json:"part"`
	Field  string `json:"field,omitempty" doc:"That it compares, where it is one."`
	Was    string `json:"was" doc:"Value of the field, or else of the comparison."`
	Wanted string `json:"wanted,omitempty" doc:"What would have matched, where that is simple."`
}

// An Await is whom a rule asks.
type Await struct {
	Sinks    []string `json:"sinks"`
	Policy   string   `json:"policy"`
	Quorum   int      `json:"quorum,omitempty"`
	Primary  string   `json:"primary,omitempty"`
	Deadline string   `json:"deadline,omitempty"`
}

// An Asked is one sink's part in the verdict.
type Asked struct {
	Sink    string `json:"sink"`
	Vote    string `json:"vote"`
	Code    int32  `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Counted bool   `json:"counted" doc:"False: the verdict did not wait for it."`
	Assumed bool   `json:"assumed" doc:"True: nobody said what it answers, and it was not recorded."`
	Source  Source `json:"from" doc:"given, recorded or assumed."`
}

// A Count is what the policy of a rule did with its votes.
type Count struct {
	Rule    string   `json:"rule"`
	Policy  string   `json:"policy"`
	Outcome string   `json:"outcome"`
	Because string   `json:"because"`
	Decided int      `json:"decided,omitempty" doc:"The arrival with which the outcome was certain; absent when it was not."`
	By      string   `json:"by,omitempty" doc:"The sink that decided, where it was one."`
	Ballots []Ballot `json:"ballots" doc:"In the order of arrival; who was not waited for comes last."`
}

// A Ballot is one vote as a policy saw it.
type Ballot struct {
	Sink     string `json:"sink"`
	Arrived  int    `json:"arrived,omitempty"`
	Vote     string `json:"vote,omitempty"`
	CountsAs string `json:"counts_as,omitempty" doc:"What a failed vote counts as."`
	Late     bool   `json:"late,omitempty" doc:"The rule's deadline came first."`
	Effect   string `json:"effect" doc:"open, decides, after or not waited for."`
}

// A Notified is a sink that gets the callback delivered.
type Notified struct {
	Sink  string   `json:"sink"`
	Key   string   `json:"key,omitempty"` // of its order, absent where there is none
	Rules []string `json:"rules"`
}

// A Verdict is what leaves.
type Verdict struct {
	Refuse    bool   `json:"refuse"`
	Code      int32  `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
	DecidedBy string `json:"decided_by,omitempty"`
}

// A Recorded is what came of a callback when it was recorded.
type Recorded struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Verdict  string    `json:"verdict"`
	Code     int32     `json:"code,omitempty"`
	Why      string    `json:"why,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Rules    []string  `json:"rules,omitempty"` // that matched
}
