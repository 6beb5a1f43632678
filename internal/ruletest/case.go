package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"callboard/openim"
	"callboard/router"
	"callboard/rules"
	"callboard/sinks"
)

// A Case is a test that is ready to be played. It is read-only.
type Case struct {
	*rules.Test
	request openim.Request
	at      time.Time
	script  router.Script
}

// newYear is when tests play that say nothing else: when the samples do.
var newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newCase(t *rules.Test, dialects map[string]openim.Dialect, recorded *recordings) (*Case, error) {
	c := &Case{Test: t, at: newYear, script: router.Script{}}
	if err := c.makeRequest(recorded); err != nil {
		return nil, err
	}
	if !t.At.IsZero() {
		c.at = t.At
	}
	for sink, answers := range t.Answers {
		for i := range answers {
			c.script[sink] = append(c.script[sink], step(&answers[i], dialects[sink]))
		}
	}
	return c, nil
}

// play decodes the callback anew: a Callback is not safe for concurrent use.
func (c *Case) play(r *router.Rehearsal) *router.Trace { return r.Play(c.callback(), c.at, c.script) }

func (c *Case) callback() *openim.Callback {
	cb, err := openim.Decode(c.request)
	if err != nil { // makeRequest has decoded it
		panic(err)
	}
	return cb
}

// makeRequest makes the request of a sample or of a recorded callback, with what the test changes of it.
func (c *Case) makeRequest(recorded *recordings) error {
	t := c.Test
	r := openim.Request{Header: http.Header{}}
	command := t.Command
	if t.Recorded != "" {
		found, err := recorded.find(path.Join(path.Dir(t.File), t.Recorded), t.RecordID)
		if err != nil {
			return err
		}
		r = router.RecordedRequest(found)
		if !found.At.IsZero() {
			c.at = found.At
		}
		if cb, err := openim.Decode(r); err == nil && t.Callback == "" {
			command = cb.Command
		}
	} else {
		r.Body = []byte("{}")
		if command != nil {
			r.Body = openim.Sample(command)
		}
	}
	if t.Callback != "" || t.Source != "" {
		name := t.Callback
		if name == "" && command != nil {
			name = command.Name
		}
		r.Path = path.Join("/", t.Source, name)
	}
	if t.Query != "" {
		r.RawQuery = t.Query
	}
	for name, value := range t.Headers {
		r.Header.Set(name, value)
	}
	set := slices.Clone(t.Set)
	if t.Callback != "" {
		set = append(set, openim.FieldValue{Name: "callbackCommand", Raw: quote(t.Callback)})
	}
	var err error
	if r.Body, err = changed(r.Body, set, t.Without); err != nil {
		return err
	}
	cb, err := openim.Decode(r)
	if err != nil {
		return fmt.Errorf("this callback cannot be read: %w", err)
	}
	if t.Text != nil {
		contentType := cb.Value("contentType", openim.Int).(int)
		content, ok := openim.ContentWithText(contentType, *t.Text)
		if !ok {
			return fmt.Errorf("a message of content type %d has no readable text", contentType)
		}
		if r.Body, err = changed(r.Body, []openim.FieldValue{{Name: "content", Raw: quote(content)}}, nil); err != nil {
			return err
		}
	}
	c.request = r
	_, err = openim.Decode(r)
	return err
}

func quote(text string) []byte {
	raw, err := jsontext.AppendQuote(nil, text)
	if err != nil { // what YAML brings is UTF-8
		panic(err)
	}
	return raw
}

// changed returns a body with some of its fields set, in their places or at the end, and others left out.
func changed(body []byte, set []openim.FieldValue, without []string) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return nil, errors.New("the body of the callback is no JSON object")
	}
	b := []byte{'{'}
	add := func(name string, raw []byte) {
		if slices.Contains(without, name) {
			return
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(name)...), ':'), raw...)
	}
	has := map[string]bool{}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		field := name.String()
		raw, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		has[field] = true
		if i := slices.IndexFunc(set, func(f openim.FieldValue) bool { return f.Name == field }); i >= 0 {
			raw = set[i].Raw
		}
		add(field, raw)
	}
	for _, f := range set {
		if !has[f.Name] {
			add(f.Name, f.Raw)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, fmt.Errorf("reading the body of the callback: %w", err)
	}
	return append(b, '}'), nil
}

func dialectsOf(set *rules.Set) map[string]openim.Dialect {
	dialects := make(map[string]openim.Dialect, len(set.Sinks))
	for _, s := range set.Sinks {
		dialects[s.Name] = s.Dialect
	}
	return dialects
}

// step is an answer as a sink of the dialect gives it.
func step(a *rules.TestAnswer, dialect openim.Dialect) sinks.Step {
	s := sinks.Step{After: a.After, Status: a.Status, RetryAfter: a.RetryAfter}
	switch {
	case a.Fails == rules.TimesOut:
		s.Hangs = true
	case a.Fails == rules.Unreachable:
		s.Err = sinks.ErrRefused
	case a.Fails == rules.Breaks:
		s.Err = sinks.ErrReset
	case a.Body != nil:
		s.Body = []byte(*a.Body)
	case a.Vote == openim.Allow:
		s.Body = answerBody(`"actionCode":0,"nextCode":0`, a)
	case a.Vote == openim.Refuse && dialect == openim.DialectV2:
		s.Body = answerBody(`"actionCode":1,"nextCode":0`, a)
	case a.Vote == openim.Refuse:
		s.Body = answerBody(`"actionCode":0,"nextCode":1`, a)
	}
	return s
}

func answerBody(codes string, a *rules.TestAnswer) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{%s,"errCode":%d,"errMsg":%s,"errDlt":%s`, codes, a.Code, quote(a.Message), quote(a.Detail))
	for _, f := range a.Fields {
		fmt.Fprintf(&b, ",%s:%s", quote(f.Name), f.Raw)
	}
	b.WriteByte('}')
	return []byte(b.String())
}
