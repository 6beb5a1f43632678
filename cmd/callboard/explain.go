package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"callboard/internal/diag"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// An explainCmd tells what the rules make of one callback.
type explainCmd struct {
	Callback string `arg:"" completion:"file" help:"File with the callback's body, or with recorded callbacks as callbacks export writes them; - for standard input."`
	Rules    string `default:"rules" env:"CALLBOARD_RULES" placeholder:"DIR" completion:"file" help:"Rules folder, or one rules file."`

	Command string   `completion:"command" placeholder:"NAME" help:"The command, where the body does not name it."`
	Source  string   `placeholder:"PATH" help:"The part of the request's path before the command."`
	Query   string   `placeholder:"QUERY" help:"The request's query, without the question mark."`
	Header  []string `sep:"none" short:"H" placeholder:"NAME:VALUE" help:"A header of the request; repeatable."`

	Now    time.Time `placeholder:"TIME" help:"What conditions read as now, as in 2026-01-31T18:30:00Z. Default: when it was recorded, else the current time."`
	Vote   []string  `sep:"none" placeholder:"SINK=VOTE" help:"What a sink votes: allow, refuse, refuse:CODE, refuse:CODE:MESSAGE, abstain or failed; repeatable. Sinks without one allow."`
	Answer []string  `sep:"none" placeholder:"SINK=JSON" help:"What a sink answers, word for word, read as the gateway reads it; repeatable."`

	OpenIM       string        `name:"openim" default:"v3.7" enum:"v2,v3.0,v3.5,v3.7" env:"CALLBOARD_OPENIM" help:"The IMServer that the reply is written for; v3.7 stands for everything later too."`
	AnswerWithin time.Duration `default:"4s" env:"CALLBOARD_ANSWER_WITHIN" help:"The budget of a callback, as serve gets it."`
	Format       string        `default:"text" enum:"text,json" help:"How to print."`
}

// Help shows an example.
func (explainCmd) Help() string {
	return `Prints for each rule whether it matches and the value of each part of its condition, then who would be asked, who would be
notified, and what would leave if all allowed, or voted as told. No sink is asked. References to variables and files that are not set here
are replaced by placeholders.

Example:

	$ callboard send --command beforeSendGroupMsg --set groupID=support-7 --print > cb.json
	$ callboard explain --rules examples/quickstart cb.json
	$ callboard explain --rules examples/quickstart --vote moderation=refuse:20401:"not here" cb.json
	$ callboard callbacks export --verdict refuse --since 2h | callboard explain --rules rules.new -
`
}

// An explanation is everything that explain prints.
type explanation struct {
	dir   string
	cb    *openim.Callback
	set   *rules.Set
	rules []rules.Explanation
	voted map[string]bool // sinks whose vote was given
	trace *router.Trace
}

// Run explains.
func (c explainCmd) Run(a *app) error {
	version, err := openim.ParseVersion(c.OpenIM)
	if err != nil {
		return usageError("", "reading --openim: %w", err)
	}
	set, err := c.load(a)
	if err != nil {
		return err
	}
	answers, err := c.answers(set)
	if err != nil {
		return err
	}
	voted := map[string]bool{}
	for name := range answers {
		voted[name] = true
	}
	rehearsal := router.NewRehearsal(set, router.Options{Version: version, AnswerWithin: c.AnswerWithin})
	first := true
	for in, err := range a.inputs(c.Callback) {
		if err != nil {
			return err
		}
		cb, err := c.callback(in)
		if err != nil {
			return err
		}
		if !first && c.Format == "text" {
			fmt.Fprintln(a.stdout)
		}
		first = false
		now := c.now(in)
		e := explanation{dir: c.Rules, cb: cb, set: set, rules: set.Explain(cb, now), voted: voted}
		e.trace = rehearsal.Run(cb, now, answers)
		if c.Format == "json" {
			if err := e.writeJSON(a.stdout); err != nil {
				return err
			}
			continue
		}
		e.writeText(a.stdout)
	}
	return nil
}

// now is what conditions read as now.
func (c explainCmd) now(in input) time.Time {
	switch {
	case !c.Now.IsZero():
		return c.Now
	case in.recorded != nil && !in.recorded.At.IsZero():
		return in.recorded.At
	}
	return time.Now()
}

// callback decodes a callback as the body of a request with what was recorded of it, and what the flags say.
func (c explainCmd) callback(in input) (*openim.Callback, error) {
	request := openim.Request{Path: "/" + strings.Trim(c.Source, "/"), RawQuery: c.Query, Header: http.Header{}, Body: in.body}
	var command *openim.Command
	var err error
	if c.Command != "" {
		if command, err = lookupCommand(c.Command); err != nil {
			return nil, err
		}
		request.Path += "/" + command.Name
	}
	if in.recorded != nil {
		c.fillIn(&request, in)
	}
	for _, h := range c.Header {
		name, value, err := parseHeader(h)
		if err != nil {
			return nil, err
		}
		request.Header.Add(name, value)
	}
	cb, err := openim.Decode(request)
	if err != nil {
		return nil, hinted(fmt.Errorf("reading %s: %w", in.place, err),
			"callboard send --command NAME --print prints a sample; --command says what the body does not")
	}
	if command != nil && cb.Command != command {
		return nil, usageError("leave out --command", "the body says callbackCommand %q, which goes before --command %s", cb.Name, c.Command)
	}
	return cb, nil
}

// fillIn takes from the record what no flag says.
func (c explainCmd) fillIn(request *openim.Request, in input) {
	if c.Query == "" {
		request.RawQuery = in.recorded.Query
	}
	if c.Source == "" && c.Command == "" {
		request.Path = recordedPath(in.recorded)
	}
	if in.recorded.OperationID != "" {
		request.Header.Set("operationID", in.recorded.OperationID)
	}
}

// load loads the rules with placeholders for what cannot be resolved here.
func (c explainCmd) load(a *app) (*rules.Set, error) {
	files, err := table.ReadDir(c.Rules)
	if err != nil {
		return nil, hinted(err, "name the rules folder with --rules")
	}
	unset := newPlaceholders(files, a.lookupEnv, os.ReadFile)
	set, ds := rules.Load(files, rules.Options{LookupEnv: unset.lookupEnv, ReadFile: unset.readFile, AnswerWithin: c.AnswerWithin})
	if set == nil {
		if err := diag.WriteText(a.stderr, ds); err != nil {
			return nil, err
		}
		return nil, &failure{code: exitFindings, err: fmt.Errorf("the rules in %s have errors", c.Rules), hint: "callboard check " + c.Rules + " reports the same"}
	}
	for _, reference := range unset.replaced {
		fmt.Fprintf(a.stderr, "note: %s is not set here, a placeholder stands for it\n", reference)
	}
	return set, nil
}

// answers reads --vote and --answer.
func (c explainCmd) answers(set *rules.Set) (map[string]openim.Answer, error) {
	answers := make(map[string]openim.Answer) // sink name → answer
	for _, arg := range c.Vote {
		sink, text, err := sinkArgument(set, answers, arg)
		if err != nil {
			return nil, err
		}
		if answers[sink.Name], err = parseVote(text); err != nil {
			return nil, usageError("as in --vote moderation=refuse:20401:no", "reading --vote %s: %w", arg, err)
		}
	}
	for _, arg := range c.Answer {
		sink, text, err := sinkArgument(set, answers, arg)
		if err != nil {
			return nil, err
		}
		answers[sink.Name] = openim.ReadAnswer(http.StatusOK, []byte(text), sink.Dialect)
	}
	return answers, nil
}

// sinkArgument reads SINK=TEXT. Each sink answers once.
func sinkArgument(set *rules.Set, answered map[string]openim.Answer, arg string) (sink *rules.Sink, text string, err error) {
	name, text, _ := strings.Cut(arg, "=")
	if _, twice := answered[name]; twice {
		return nil, "", usageError("", "reading %s: %s answers already", arg, name)
	}
	var names []string
	for _, sink := range set.Sinks {
		if sink.Name == name {
			return sink, text, nil
		}
		names = append(names, sink.Name)
	}
	hint := "the rules have " + strings.Join(names, ", ")
	if near := diag.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return nil, "", usageError(hint, "reading %s: the rules have no sink %q", arg, name)
}
