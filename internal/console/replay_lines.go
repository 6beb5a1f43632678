package console

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/journal"
)

// maxLine bounds a line of recorded callbacks, in bytes: many times the largest body and its trace.
const maxLine = 64 << 20

// replayLines sends the recorded callbacks of a request's body, in their order. It holds one at a time.
func (c *console) replayLines(r *http.Request, w http.ResponseWriter) (*ReplayReport, error) {
	sinks, dryRun, err := linesParameters(r.URL.Query())
	if err != nil {
		return nil, err
	}
	run, end, err := c.beginReplay(sinks, dryRun)
	if err != nil {
		return nil, err
	}
	defer end()
	withoutDeadlines(w)
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) == 0 || isMissed(line) {
			continue
		}
		record, err := journal.ParseExport(lines.Bytes())
		if err != nil {
			run.stop(fmt.Errorf("line %d: %w", n, err))
			break
		}
		if !run.again(r.Context(), &record.Callback) {
			break
		}
	}
	if err := lines.Err(); err != nil {
		run.stop(fmt.Errorf("reading the lines: %w", err))
	}
	return &run.report, nil
}

// isMissed reports whether a line is what tail writes for callbacks that it has not.
func isMissed(line []byte) bool {
	var m struct{ Missed *int }
	return len(line) < 64 && json.Unmarshal(line, &m) == nil && m.Missed != nil
}

// linesParameters reads what goes with JSON Lines.
func linesParameters(query url.Values) (sinks []string, dryRun bool, err error) {
	for name, values := range query {
		switch name {
		case "sinks":
			sinks = values
		case "dry_run":
			if dryRun, err = strconv.ParseBool(values[0]); err != nil {
				return nil, false, unprocessable("query.dry_run", values[0], errors.New("neither true nor false"), "")
			}
		default:
			return nil, false, unprocessable("query."+name, values[0], errors.New("unknown query parameter"), "sinks and dry_run are known here")
		}
	}
	return sinks, dryRun, nil
}

// answerReplay answers for a request that did not go through Huma's own handler.
func (c *console) answerReplay(api huma.API, hc huma.Context, report *ReplayReport, err error) {
	status, contentType, body := http.StatusOK, "application/json", any(report)
	if p, ok := errors.AsType[*Problem](err); ok {
		status, contentType, body = p.Status, p.ContentType(contentType), p
	}
	hc.SetHeader("Content-Type", contentType)
	hc.SetStatus(status)
	if err := api.Marshal(hc.BodyWriter(), "application/json", body); err != nil {
		c.Log.Debug("writing an admin answer failed", "err", err)
	}
}
