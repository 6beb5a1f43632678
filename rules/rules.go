// Package rules turns rules files into a Set and asks it what to do with a callback.
//
// Load reads and checks files; Set.Match returns the Plan for one callback. Matching does no
// I/O: asking sinks and answering is the business of package router.
package rules

import (
	"fmt"
	"time"

	"callboard/openim"
	"callboard/rules/index"
	"callboard/rules/when"
)

// A File is one rules file.
type File struct {
	Name string // as diagnostics should name it
	Data []byte
}

// Options configures Load. The zero value is ready to use. Its functions are called by one goroutine at a time.
type Options struct {
	// LookupEnv resolves ${env:NAME}. Nil means os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// ReadFile resolves ${file:/path}. Nil means os.ReadFile.
	ReadFile func(string) ([]byte, error)
	// AnswerWithin is the budget of a callback; longer deadlines are diagnosed. Zero means 4 seconds.
	AnswerWithin time.Duration
	// Dedup is the window of a dedup without an expression, used where no file has one. Zero means none.
	Dedup time.Duration
	// Now is the time by which rules expire. Zero means the current time.
	Now time.Time
	// Analyse finds also what does no harm yet may not be meant, such as rules that can never match. That costs more than
	// loading: it is for who checks rules, not for who serves them.
	Analyse bool
}

const defaultAnswerWithin = 4 * time.Second

// A Set is a checked table of rules: read-only, safe for concurrent use.
type Set struct {
	Rules    []*Rule // in the order of matching: priority first, then file and place
	Sinks    []*Sink // by name
	Revision string  // hash of the files and of what their references stand for, 12 hex digits
	Dedup    *Dedup  // nil when neither a file nor Options has it

	env   *when.Env    // of conditions and of order_by
	index *index.Index // of Rules, by their places
	reads conditional
}

// A Rule is one entry of a rules file.
type Rule struct {
	Name        string
	Description string
	Metadata
	File       string // where it stands
	Line       int
	Callbacks  []*openim.Command // nil together with Unknown: every command
	Unknown    []string          // wire names of commands that the catalogue lacks
	When       string            // source of the condition with its references as written, "" when there is none
	Priority   int               // higher goes first
	Stop       bool              // ends matching after this rule
	MatchOnErr bool              // on_error: match
	Await      *Await            // nil when it asks nobody
	Notify     []string          // sinks that get the callback delivered, in the order written
	Reply      *Reply            // nil when it answers nothing by itself

	cond    *when.Cond
	secrets []secret // in the condition
	targets []target // of Notify
	alone   []string // the rule's name, for notices that no other rule asks for; full
}

// An Await is the part of a rule that asks sinks.
type Await struct {
	Sinks     []string // in the order written
	Policy    Policy
	Deadline  time.Duration          // 0: the whole budget
	OnFailure map[string]openim.Vote // sink name → what its failed vote counts as; absent: the phase's default
	Merge     Merge
	Linger    *bool // nil: false on before, true on after callbacks
}

// A PolicyKind names how votes become a decision.
type PolicyKind uint8

// The policies, each with when it is met.
const (
	All      PolicyKind = iota // no sink refuses
	Any                        // at least one allows
	Quorum                     // at least N allow
	Majority                   // more allow than refuse
	First                      // the first usable vote decides
	Primary                    // one sink decides, the others are asked along
)

// String returns the word by which rules files name the policy.
func (k PolicyKind) String() string {
	return [...]string{All: "all", Any: "any", Quorum: "quorum", Majority: "majority", First: "first", Primary: "primary"}[k]
}

// A Policy is how the votes of an await become a decision.
type Policy struct {
	Kind    PolicyKind
	N       int    // of Quorum
	Primary string // of Primary: the sink that decides
}

// String names the policy for people: "all", "quorum of 2", "primary moderation".
func (p Policy) String() string {
	switch p.Kind {
	case Quorum:
		return fmt.Sprintf("quorum of %d", p.N)
	case Primary:
		return "primary " + p.Primary
	}
	return p.Kind.String()
}

// setVote sets what the failed vote of a sink counts as; Failed sets nothing.
func (a *Await) setVote(sink string, v openim.Vote) {
	if v == openim.Failed {
		return
	}
	if a.OnFailure == nil {
		a.OnFailure = make(map[string]openim.Vote, len(a.Sinks))
	}
	a.OnFailure[sink] = v
}

// A Merge says which sink's value wins when several set the same reply field.
type Merge uint8

// The merges. Fields come in rule and sink order.
const (
	MergeFirst  Merge = iota // the first in rule and sink order
	MergeLast                // the last
	MergeRefuse              // different values refuse the callback
)

// A Reply is a rule's own answer.
type Reply struct {
	Refuse  bool
	Code    int32
	Message string
	Detail  string
	Fields  []openim.FieldValue // reply fields that an allow sets, checked against the catalogue
}

// A Sink is a sink as rules files describe it; package sinks makes it work. Zero means not set:
// package sinks has the defaults.
type Sink struct {
	Name        string
	Description string
	File        string
	Line        int
	URL         string            // may hold secrets; {command} and {source} in it are replaced for each callback
	Timeout     time.Duration     // of one attempt
	Attempts    int               // within one await
	Backoff     time.Duration     // before the second attempt, at most; grows
	MaxBackoff  time.Duration     // the most between two attempts
	Hedge       time.Duration     // 0: no second request beside a slow one
	Concurrency int               // requests at the same time
	MaxAnswer   int64             // bytes
	Headers     map[string]string // sent with each request; may hold secrets
	TLS         TLS
	Dialect     openim.Dialect

	// Of deliveries.

	OrderBy    string        // source of the expression for the key, "" for no order
	Rate       float64       // attempts a second, 0: no bound
	RetryFor   time.Duration // how long a delivery is retried
	Secrets    []string      // that sign, one or two; secrets
	NeedsReply bool          // success: reply
	OnStuck    OnStuck
	StuckLimit int // deliveries that may wait behind a stuck one
	Breaker    Breaker
	Batch      Batch

	// Of what is sent, and of votes that are kept: sources of expressions, and what they compute.

	SetHeaders []Computed // in the order written
	SetFields  []Computed // top-level fields of the body, in the order written
	Body       string     // "" for the callback's own
	Cache      Cache
	Shaper     *Shaper // nil when there is nothing to compute
}

// OnStuck says what becomes of an ordered delivery that cannot be delivered.
type OnStuck uint8

// The ways.
const (
	Block      OnStuck = iota // its key waits for a person
	DeadLetter                // it becomes a dead letter, its key goes on
)

// A Breaker says when a failing sink is left alone.
type Breaker struct {
	Off      bool          // breaker: off
	Failures int           // in a row that open it
	Delay    time.Duration // before the first probe
	MaxDelay time.Duration // doubling up to it
}

// Dedup is how the same callback is recognised when it comes again.
type Dedup struct {
	Window time.Duration
	Key    string // source of the expression, "" for the default key: see Set.DedupKey

	key *when.Key // compiled Key, nil for the default key
	env *when.Env // of key alone, which is read before anything is matched
}

// TLS is how a sink is reached over https. The zero value uses the system's roots.
type TLS struct {
	CA         string // file of PEM certificates to trust instead of the system's
	Cert, Key  string // files of the client certificate and its key
	ServerName string // to expect in the certificate instead of the URL's host
}
