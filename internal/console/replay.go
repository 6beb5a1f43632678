package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"callboard/internal/journal"
	"callboard/internal/queue"
)

// A Replayer sends a recorded callback through today's rules and notifies the sinks that they name; sinks, when there are any, are
// the only ones it may notify. It returns the sinks that were notified, or would be with dryRun.
type Replayer func(ctx context.Context, cb *journal.Callback, sinks []string, dryRun bool) (notified []string, err error)

// A ReplayRequest says which recorded callbacks are sent again, and to whom.
type ReplayRequest struct {
	CallbackFilter
	Sinks  []string `json:"sinks,omitempty" minItems:"1" doc:"Notify only these; absent means all that today's rules name."`
	All    bool     `json:"all,omitempty" doc:"Needed where no filter is given, so that a mistake does not choose all."`
	DryRun bool     `json:"dry_run,omitempty" doc:"Only count."`
}

// A ReplayReport tells what a replay did.
type ReplayReport struct {
	Callbacks  int            `json:"callbacks" doc:"That were sent again."`
	Deliveries int            `json:"deliveries" doc:"That came of them."`
	Skipped    map[string]int `json:"skipped,omitempty" doc:"How many were not sent again, by the reason."`
	Stopped    string         `json:"stopped,omitempty" doc:"Why it ended early; absent when it did not. What is counted was done."`
	DryRun     bool           `json:"dry_run,omitempty" doc:"Whether nothing was done."`
}

// Why a callback is not sent again. Errors of the Replayer are reasons too.
const (
	skipNoBody  = "its body was not kept"
	skipReplay  = "it is a replay itself"
	skipRepeat  = "it repeats another one (dedup)"
	skipTrouble = "it could not be read when it came"
	skipNobody  = "the rules notify nobody now"
	skipOther   = "other reasons"
)

// maxReasons bounds the reasons of a report.
const maxReasons = 32

type replayInput struct {
	unhurried
	Body ReplayRequest
}

func (c *console) addReplay(api huma.API) {
	op := post("/api/replay", "replay-callbacks", "Send recorded callbacks again through today's rules, oldest first")
	op.Description = "One replay runs at a time; it stops when its client goes away. Nobody is asked, sinks to notify get new deliveries. " +
		"As " + JSONLines + " the body is what export writes; the query parameters sinks (repeatable) and dry_run are for that form."
	op.Middlewares = huma.Middlewares{func(hc huma.Context, next func(huma.Context)) {
		if !isJSONLines(hc.Header("Content-Type")) {
			next(hc)
			return
		}
		r, w := humago.Unwrap(hc)
		report, err := c.replayLines(r, w)
		c.answerReplay(api, hc, report, err)
	}}
	huma.Register(api, op, c.replayJournal)
	registered := api.OpenAPI().Paths[op.Path].Post
	registered.RequestBody.Content[JSONLines] = &huma.MediaType{}
}

// isJSONLines reports whether a body is JSON Lines by one of its names.
func isJSONLines(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case JSONLines, "application/x-ndjson", "application/x-jsonlines":
		return true
	}
	return false
}

// replayJournal sends what the journal has. Until defaults to now, so that it does not meet what it records itself.
func (c *console) replayJournal(ctx context.Context, in *replayInput) (*output[ReplayReport], error) {
	if c.Journal == nil {
		return nil, errNoJournal
	}
	request := in.Body
	if request.IsEmpty() != request.All {
		return nil, newProblem(http.StatusUnprocessableEntity, "body: either choose callbacks or say all", `as in {"since": "2h"}`)
	}
	f, err := request.filter()
	if err != nil {
		return nil, err
	}
	if now := time.Now(); f.Until.IsZero() || f.Until.After(now) {
		f.Until = now
	}
	run, end, err := c.beginReplay(request.Sinks, request.DryRun)
	if err != nil {
		return nil, err
	}
	defer end()
	err = c.Journal.Find(ctx, f, true, func(cb *journal.Callback) bool { return run.again(ctx, cb) })
	if err != nil {
		run.stop(err)
	}
	return &output[ReplayReport]{run.report}, nil
}

// beginReplay refuses a second one at the same time: they would get into each other's order.
func (c *console) beginReplay(sinks []string, dryRun bool) (*replayRun, func(), error) {
	if c.Replay == nil || c.Queue == nil {
		return nil, nil, errNoQueue
	}
	for _, name := range sinks {
		if _, err := c.sink(name); err != nil {
			return nil, nil, err
		}
	}
	if !c.replaying.TryLock() {
		return nil, nil, newProblem(http.StatusConflict, "another replay is running", "wait for it, or end the command that started it")
	}
	run := &replayRun{console: c, sinks: sinks, report: ReplayReport{DryRun: dryRun, Skipped: map[string]int{}}}
	return run, func() {
		c.replaying.Unlock()
		if !dryRun {
			c.Log.Info("callbacks replayed", "n", run.report.Callbacks, "deliveries", run.report.Deliveries, "stopped", run.report.Stopped)
		}
	}, nil
}

// A replayRun is one replay.
type replayRun struct {
	console *console
	sinks   []string
	report  ReplayReport
}

// again sends one callback again and reports whether to go on.
func (run *replayRun) again(ctx context.Context, cb *journal.Callback) bool {
	switch {
	case ctx.Err() != nil:
		run.stop(ctx.Err())
		return false
	case run.console.Draining():
		run.stop(errors.New("the gateway is shutting down"))
		return false
	case cb.ReplayOf != "":
		run.skip(skipReplay)
	case cb.RepeatOf != "": // the other one is sent again
		run.skip(skipRepeat)
	case cb.Body == nil && cb.Command == "":
		run.skip(skipTrouble)
	case cb.Body == nil:
		run.skip(skipNoBody)
	default:
		return run.send(ctx, cb)
	}
	return true
}

// send goes on after an error that is the callback's own.
func (run *replayRun) send(ctx context.Context, cb *journal.Callback) bool {
	notified, err := run.console.Replay(ctx, cb, run.sinks, run.report.DryRun)
	switch {
	case err != nil && (ctx.Err() != nil || errors.Is(err, queue.ErrFull) || errors.Is(err, queue.ErrClosed)):
		run.stop(err)
		return false
	case err != nil:
		run.skip(err.Error())
	case len(notified) == 0:
		run.skip(skipNobody)
	default:
		run.report.Callbacks++
		run.report.Deliveries += len(notified)
	}
	return true
}

func (run *replayRun) skip(reason string) {
	if _, known := run.report.Skipped[reason]; !known && len(run.report.Skipped) >= maxReasons {
		reason = skipOther
	}
	run.report.Skipped[reason]++
}

// stop notes the first reason to end early.
func (run *replayRun) stop(err error) {
	if run.report.Stopped == "" {
		run.report.Stopped = err.Error()
	}
}
