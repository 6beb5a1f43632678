package rules

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"

	"callboard/internal/testkit"
)

// The JSON Schema of a rules file, for editors: what keys there are, what they mean and what they take. It accepts what Load
// accepts, except callbacks by other names than the short one and the wire name, and numbers where text is meant. Conditions
// and other files are beyond it. It is made here and kept beside the examples, so that the program need not make it: -update
// writes it.
func TestSchemaFile(t *testing.T) {
	testkit.Golden(t, filepath.Join("..", "examples", "rules.schema.json"), string(schemaText(t)), *update)
}

// The same of callboard.yaml.
func TestFolderSchemaFile(t *testing.T) {
	testkit.Golden(t, filepath.Join("..", "examples", "callboard.schema.json"), string(schemaTextOf(t, folderJSONSchema())), *update)
}

func schemaText(t testing.TB) []byte {
	t.Helper()
	return schemaTextOf(t, fileJSONSchema())
}

func schemaTextOf(t testing.TB, s *jsonschema.Schema) []byte {
	t.Helper()
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func fileJSONSchema() *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, ExpandedStruct: true, Namer: schemaName}
	s := r.Reflect(schemaFile{})
	s.Title = "Callboard rules file"
	return s
}

func folderJSONSchema() *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, ExpandedStruct: true, Namer: schemaName}
	s := r.Reflect(schemaFolder{})
	s.Title = "Callboard folder settings"
	return s
}

// schemaName names a definition after its type: schemaSink becomes sink.
func schemaName(t reflect.Type) string {
	name, ok := strings.CutPrefix(t.Name(), "schema")
	if !ok {
		return t.Name()
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// The types below mirror the key tables of this package; a test holds the two together.

type schemaFile struct {
	Sinks    map[string]schemaSink `json:"sinks,omitempty" jsonschema_description:"HTTP services that rules ask and notify, by name. All files together are one table."`
	Rules    []schemaRule          `json:"rules,omitempty" jsonschema_description:"What is to happen to callbacks. Every rule that matches takes part. [] asks for an empty table."`
	Defaults *schemaDefaults       `json:"defaults,omitempty" jsonschema_description:"What the sinks and rules of this file have in common."`
	Dedup    *schemaDedup          `json:"dedup,omitempty" jsonschema_description:"How the same callback is recognised when it comes again. One file of the folder may have it. Default never."`
}

type schemaDedupParts struct {
	Window schemaDuration `json:"window" jsonschema_description:"How long a callback is remembered, 1s to 24h."`
	Key    string         `json:"key,omitempty" jsonschema_description:"An expression over the callback's fields: callbacks of one command and source with the same value are the same. Default the serverMsgID, else operationID and body."`
}

type schemaDefaults struct {
	Sinks *schemaDefaultSinks `json:"sinks,omitempty" jsonschema_description:"Settings of every sink in this file that does not set them itself."`
	Rules *schemaDefaultRules `json:"rules,omitempty" jsonschema_description:"Settings of every rule in this file that does not set them itself."`
}

type schemaSink struct {
	URL         string `json:"url" jsonschema_description:"Where callbacks are posted, over http or https. {command} and {source} in path and query are replaced."`
	Description string `json:"description,omitempty" jsonschema_description:"For people."`
	schemaDefaultSinks
}

type schemaDefaultSinks struct {
	Timeout     schemaDuration    `json:"timeout,omitempty" jsonschema_description:"Of one attempt. Default 3s."`
	Retry       *schemaRetry      `json:"retry,omitempty" jsonschema_description:"Further attempts: within the deadline of an await, and for much longer at a delivery."`
	Hedge       schemaDuration    `json:"hedge,omitempty" jsonschema_description:"Send a second request when the first has not answered for so long. Default never."`
	Concurrency int               `json:"concurrency,omitempty" jsonschema:"minimum=1,maximum=100000" jsonschema_description:"The most requests at one time. Default 64."`
	MaxAnswer   schemaBytes       `json:"max_answer,omitempty" jsonschema_description:"The longest answer that is read, as in 64KiB. Default 1MiB."`
	Headers     map[string]string `json:"headers,omitempty" jsonschema_description:"Sent with every request."`
	TLS         *schemaTransport  `json:"tls,omitempty" jsonschema_description:"How the sink is reached over https. Default the system's roots."`
	Dialect     schemaDialect     `json:"dialect,omitempty" jsonschema_description:"How the sink refuses: current with actionCode 0 and nextCode 1, v2 with any non-zero actionCode. Default current."`
	OnFailure   schemaVote        `json:"on_failure,omitempty" jsonschema_description:"What a vote of this sink that failed counts as, unless the rule says otherwise."`
	OrderBy     schemaKey         `json:"order_by,omitempty" jsonschema_description:"A field or an expression: deliveries with the same value arrive one after the other. Default no order."`
	OnStuck     schemaOnStuck     `json:"on_stuck,omitempty" jsonschema_description:"What becomes of an ordered delivery that cannot be delivered: block what has the same key, or dead_letter. Default block."`
	StuckLimit  int               `json:"stuck_limit,omitempty" jsonschema:"minimum=1,maximum=10000000" jsonschema_description:"The most deliveries that wait behind a stuck one. Default 10000."`
	Rate        schemaRate        `json:"rate,omitempty" jsonschema_description:"The most attempts at deliveries in a second, minute or hour, as in 500/s. Default no limit."`
	Breaker     *schemaBreaker    `json:"breaker,omitempty" jsonschema_description:"When a failing sink is left alone for a while: off, or after how many failures."`
	Success     schemaSuccess     `json:"success,omitempty" jsonschema_description:"What makes a delivery done: a 2xx status, or also a reply that allows. Default status."`
	Secret      schemaSecrets     `json:"secret,omitempty" jsonschema_description:"Signs deliveries (Standard Webhooks): whsec_ and base64, or any text. A list of two during rotation: new, old. Default no signature."`
	Batch       *schemaBatch      `json:"batch,omitempty" jsonschema_description:"Has several deliveries go in one request: off, or how many. Default each by itself."`
	Set         *schemaSet        `json:"set,omitempty" jsonschema_description:"Headers and fields that are computed for each request."`
	Body        schemaKey         `json:"body,omitempty" jsonschema_description:"An expression whose value is sent as JSON, in quotes. Default the callback's own body."`
	Cache       *schemaCache      `json:"cache,omitempty" jsonschema_description:"Keep the sink's votes for a while, or off. Default never."`
}

type schemaSet struct {
	Headers map[string]schemaKey `json:"headers,omitempty" jsonschema_description:"Name and expression of headers."`
	Fields  map[string]schemaKey `json:"fields,omitempty" jsonschema_description:"Name and expression of top-level fields of the body."`
}

type schemaCacheParts struct {
	Key            schemaKey      `json:"key,omitempty" jsonschema_description:"A field or an expression: callbacks of one command and source with the same value share a vote."`
	TTL            schemaDuration `json:"ttl,omitempty" jsonschema_description:"How long a vote stands in for asking, 24h at most."`
	StaleOnFailure schemaDuration `json:"stale_on_failure,omitempty" jsonschema_description:"How long an older vote stands in for one that failed, 168h at most. Default never."`
	Max            int            `json:"max,omitempty" jsonschema:"minimum=1,maximum=1000000" jsonschema_description:"The most votes kept. Default 10000."`
}

type schemaBatchParts struct {
	Max    int               `json:"max,omitempty" jsonschema:"minimum=1,maximum=1000" jsonschema_description:"The most deliveries in a request. Default 100."`
	Wait   schemaDuration    `json:"wait,omitempty" jsonschema_description:"How long a batch that is not full waits for more, 1m at most. Default 50ms."`
	Bytes  schemaBytes       `json:"bytes,omitempty" jsonschema_description:"The most bytes of callbacks in a request, 8MiB at most. Default 1MiB."`
	Format schemaBatchFormat `json:"format,omitempty" jsonschema_description:"A JSON array, or NDJSON: a line for each. Default array."`
	Item   schemaBatchItem   `json:"item,omitempty" jsonschema_description:"The callback's body as it is, or an envelope with its id, command and more around it. Default body."`
}

type schemaRetry struct {
	Attempts   int            `json:"attempts,omitempty" jsonschema:"minimum=1,maximum=10" jsonschema_description:"The most attempts of an await, the first included. Default 2."`
	Backoff    schemaDuration `json:"backoff,omitempty" jsonschema_description:"The longest wait before the second attempt; it doubles. Default 50ms, of a delivery 1s."`
	MaxBackoff schemaDuration `json:"max_backoff,omitempty" jsonschema_description:"The longest wait between two attempts. Default 1s, of a delivery 10m."`
	For        schemaDuration `json:"for,omitempty" jsonschema_description:"How long a delivery is retried, 720h at most. Default 24h."`
}

type schemaBreakerParts struct {
	Failures int            `json:"failures,omitempty" jsonschema:"minimum=1,maximum=100000" jsonschema_description:"How many failures in a row open it. Default 10."`
	Delay    schemaDuration `json:"delay,omitempty" jsonschema_description:"How long it stays open before a probe; it doubles with each that fails. Default 5s."`
	MaxDelay schemaDuration `json:"max_delay,omitempty" jsonschema_description:"The longest wait between two probes. Default 1m."`
}

type schemaTransport struct {
	CA         string `json:"ca,omitempty" jsonschema_description:"File of PEM certificates to trust instead of the system's."`
	Cert       string `json:"cert,omitempty" jsonschema_description:"File of the client certificate."`
	Key        string `json:"key,omitempty" jsonschema_description:"File of the client certificate's key."`
	ServerName string `json:"server_name,omitempty" jsonschema_description:"Name to expect in the certificate instead of the url's host."`
}

type schemaRule struct {
	Name        string          `json:"name" jsonschema_description:"Unique over all files; shown in traces and metrics."`
	Description string          `json:"description,omitempty" jsonschema_description:"For people."`
	Callbacks   schemaCallbacks `json:"callbacks,omitempty" jsonschema_description:"Which callbacks the rule is for. Default all."`
	When        schemaCondition `json:"when,omitempty" jsonschema_description:"The condition, an expression over the callback's fields. Default always."`
	Await       *schemaAwait    `json:"await,omitempty" jsonschema_description:"Ask sinks before answering."`
	Notify      schemaNotify    `json:"notify,omitempty" jsonschema_description:"Names of the sinks that get the callback delivered, durably, after the answer."`
	Reply       *schemaReply    `json:"reply,omitempty" jsonschema_description:"The rule's own answer."`
	Priority    int             `json:"priority,omitempty" jsonschema:"minimum=-1000000000,maximum=1000000000" jsonschema_description:"Higher goes first. Default 0."`
	Stop        schemaBool      `json:"stop,omitempty" jsonschema_description:"End matching after this rule. Default false."`
	OnError     schemaOnError   `json:"on_error,omitempty" jsonschema_description:"What a condition that fails counts as. Default skip."`
	schemaMetadata
}

// schemaMetadata is what a rule and defaults of rules say for people.
type schemaMetadata struct {
	Owner   string            `json:"owner,omitempty" jsonschema_description:"The team that answers for it. By default the team that callboard.yaml gives the file to."`
	Runbook string            `json:"runbook,omitempty" jsonschema_description:"URL of what to do when it misbehaves."`
	Labels  map[string]string `json:"labels,omitempty" jsonschema_description:"Names and texts, for people and programs that read reports."`
	Expires schemaDate        `json:"expires,omitempty" jsonschema_description:"The last day on which it is wanted, as in 2027-01-31 (UTC). Then it still works, and is a finding."`
}

type schemaDefaultRules struct {
	Callbacks schemaCallbacks     `json:"callbacks,omitempty" jsonschema_description:"Which callbacks the rules are for. Default all."`
	Notify    schemaNames         `json:"notify,omitempty" jsonschema_description:"Names of the sinks that get the callbacks delivered; a rule that says notify: [] notifies none."`
	Priority  int                 `json:"priority,omitempty" jsonschema:"minimum=-1000000000,maximum=1000000000" jsonschema_description:"Higher goes first. Default 0."`
	OnError   schemaOnError       `json:"on_error,omitempty" jsonschema_description:"What a condition that fails counts as. Default skip."`
	Await     *schemaDefaultAwait `json:"await,omitempty" jsonschema_description:"Of the rules that ask sinks."`
	schemaMetadata
}

type schemaAwait struct {
	Sinks schemaNames `json:"sinks" jsonschema_description:"Names of the sinks to ask, all at the same time."`
	schemaDefaultAwait
}

type schemaDefaultAwait struct {
	Policy    *schemaPolicy    `json:"policy,omitempty" jsonschema_description:"How votes become a decision. Default all."`
	Deadline  schemaDuration   `json:"deadline,omitempty" jsonschema_description:"When the rule decides with the votes it has. Default the callback's whole budget."`
	OnFailure *schemaOnFailure `json:"on_failure,omitempty" jsonschema_description:"What a vote that failed counts as. Default allow before the fact, refuse after it."`
	Merge     schemaMerge      `json:"merge,omitempty" jsonschema_description:"Whose value counts when several sinks set a reply field. Default first."`
	Linger    schemaBool       `json:"linger,omitempty" jsonschema_description:"Let sinks finish after the decision. Default false before the fact, true after it."`
}

type schemaPolicyParts struct {
	Quorum  int    `json:"quorum,omitempty" jsonschema:"minimum=1,maximum=1000" jsonschema_description:"How many sinks must allow."`
	Primary string `json:"primary,omitempty" jsonschema_description:"The sink that decides; the others are asked along."`
}

type schemaReplyParts struct {
	Allow  *schemaNothing `json:"allow,omitempty" jsonschema_description:"{}: allow."`
	Refuse *schemaRefuse  `json:"refuse,omitempty" jsonschema_description:"Refuse the callback."`
	Fields map[string]any `json:"fields,omitempty" jsonschema_description:"Reply fields that change what is allowed; each callback has its own."`
}

type schemaNothing struct{}

type schemaRefuse struct {
	Code    int    `json:"code,omitempty" jsonschema:"minimum=100,maximum=2147483647" jsonschema_description:"What the client is told. Default 20001."`
	Message string `json:"message,omitempty" jsonschema_description:"Shown to the user."`
	Detail  string `json:"detail,omitempty" jsonschema_description:"For developers."`
}

type schemaFolder struct {
	Owners  map[string]schemaTeam `json:"owners,omitempty" jsonschema_description:"Teams by name: the files that belong to each, and what their rules may do. What is not given is not limited."`
	Unowned schemaUnowned         `json:"unowned,omitempty" jsonschema_description:"Whether there may be rules files that belong to no team. Default allow."`
}

type schemaTeam struct {
	Files     schemaNames     `json:"files" jsonschema_description:"Files and folders of the team, below this folder. * stands for any characters of a name, ** for those of a path."`
	Callbacks schemaCallbacks `json:"callbacks,omitempty" jsonschema_description:"Callbacks that its rules may be for. Default all."`
	Sinks     schemaNotify    `json:"sinks,omitempty" jsonschema_description:"Sinks of others that its rules may ask and notify; * stands for any characters. Default all."`
	Groups    schemaNotify    `json:"groups,omitempty" jsonschema_description:"Group ids that the conditions of its rules must be limited to, or what they begin with and a *. Default all."`
	Powers    schemaPowers    `json:"powers,omitempty" jsonschema_description:"Whether its rules may refuse callbacks and stop matching, and its files set dedup. Default all."`
	Priority  *schemaPriority `json:"priority,omitempty" jsonschema_description:"Priorities that its rules may have. Default any."`
}

type schemaPriority struct {
	Min int `json:"min,omitempty" jsonschema:"minimum=-1000000000,maximum=1000000000" jsonschema_description:"The lowest."`
	Max int `json:"max,omitempty" jsonschema:"minimum=-1000000000,maximum=1000000000" jsonschema_description:"The highest."`
}

func (schemaTeam) JSONSchemaExtend(s *jsonschema.Schema)     { extended(s) }
func (schemaPriority) JSONSchemaExtend(s *jsonschema.Schema) { extended(s) }
func (schemaFolder) JSONSchemaExtend(s *jsonschema.Schema) {
	extended(s)
	owners, _ := s.Properties.Get("owners")
	extended(owners)
}

// Every mapping takes keys that begin with x- and ignores them.
func (schemaDefaults) JSONSchemaExtend(s *jsonschema.Schema)     { extended(s) }
func (schemaSink) JSONSchemaExtend(s *jsonschema.Schema)         { extended(s) }
func (schemaDefaultSinks) JSONSchemaExtend(s *jsonschema.Schema) { extended(s) }
func (schemaRetry) JSONSchemaExtend(s *jsonschema.Schema)        { extended(s) }
func (schemaTransport) JSONSchemaExtend(s *jsonschema.Schema)    { extended(s) }
func (schemaDedupParts) JSONSchemaExtend(s *jsonschema.Schema)   { extended(s) }
func (schemaBreakerParts) JSONSchemaExtend(s *jsonschema.Schema) { extended(s) }
func (schemaSet) JSONSchemaExtend(s *jsonschema.Schema)          { extended(s) }
func (schemaCacheParts) JSONSchemaExtend(s *jsonschema.Schema)   { extended(s) }
func (schemaBatchParts) JSONSchemaExtend(s *jsonschema.Schema)   { extended(s) }
func (schemaRule) JSONSchemaExtend(s *jsonschema.Schema)         { extended(s) }
func (schemaDefaultRules) JSONSchemaExtend(s *jsonschema.Schema) { extended(s) }
func (schemaAwait) JSONSchemaExtend(s *jsonschema.Schema)        { extended(s) }
func (schemaDefaultAwait) JSONSchemaExtend(s *jsonschema.Schema) { extended(s) }
func (schemaPolicyParts) JSONSchemaExtend(s *jsonschema.Schema)  { extended(s) }
func (schemaReplyParts) JSONSchemaExtend(s *jsonschema.Schema)   { extended(s) }
func (schemaRefuse) JSONSchemaExtend(s *jsonschema.Schema)       { extended(s) }

func (schemaFile) JSONSchemaExtend(s *jsonschema.Schema) {
	extended(s)
	sinks, _ := s.Properties.Get("sinks")
	extended(sinks)
}

// extended allows x- keys, and references where a number stands.
func extended(s *jsonschema.Schema) {
	s.PatternProperties = map[string]*jsonschema.Schema{"^x-": jsonschema.TrueSchema}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		if n := p.Value; n.Type == "integer" {
			p.Value = orReference(&jsonschema.Schema{Type: n.Type, Minimum: n.Minimum, Maximum: n.Maximum})
			p.Value.Description = n.Description
		}
	}
}
