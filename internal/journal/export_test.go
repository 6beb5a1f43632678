package journal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestExportRoundTrip(t *testing.T) {
	with := func(body string) *Callback {
		c := sample(noon.Add(123*time.Millisecond), 5).read()
		c.Body = []byte(body)
		return c
	}
	for _, c := range []*Callback{
		sample(noon, 1).read(), with(`{"a":1e400,"b":"<&>","b":2}`), with("not JSON"), with("\xff"), with(`"\ud800"`), with("\"\xff\""), with("null "),
		{ID: "x", At: noon, Command: "callbackNew", Verdict: "allow"},
	} {
		line, err := AppendExport([]byte("before"), c)
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.TrimPrefix(line, []byte("before"))
		if bytes.ContainsAny(line, "\r\n") || !json.Valid(line) {
			t.Errorf("not a line of JSON: %q", line)
		}
		e, err := ParseExport(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if diff := cmp.Diff(c, &e.Callback); diff != "" && strings.TrimSpace(string(c.Body)) != "null" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	pretty, err := AppendExport(nil, with("{\n  \"a\": [ 1.0 ]\r\n}"))
	if err != nil || !bytes.HasSuffix(pretty, []byte(`,"body":{"a":[1.0]}}`)) {
		t.Errorf("a body over several lines becomes %s, %v", pretty, err)
	}
}

func TestParseExport(t *testing.T) {
	if e, err := ParseExport([]byte(`{"command":"","verdict":"allow","trouble":"broken_json"}`)); err != nil || e.Trouble != "broken_json" {
		t.Errorf("a callback that could not be read: %+v, %v", e, err)
	}
	good := func(name, line, body string) {
		t.Run(name, func(t *testing.T) {
			e, err := ParseExport([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			if e.Command != "callbackX" || string(e.Callback.Body) != body {
				t.Errorf("command %q, body %q, want body %q", e.Command, e.Callback.Body, body)
			}
		})
	}
	good("only the command", `{"command":"callbackX"}`, "")
	good("unknown members", `{"command":"callbackX","future":[1],"body":{}}`, "{}")
	good("space, a byte order mark and a carriage return", "\xef\xbb\xbf {\"command\":\"callbackX\"} \r", "")
	good("a body in base64", `{"command":"callbackX","body_base64":"aGk="}`, "hi")
	good("null", `{"command":"callbackX","body":null,"trace":null,"body_base64":null}`, "")
	bad := func(name, line, want string) {
		t.Run(name, func(t *testing.T) {
			if e, err := ParseExport([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v, %v, want an error with %q", e, err, want)
			}
		})
	}
	bad("nothing", " ", "empty")
	bad("a list", "[]", "not a JSON object")
	bad("half a line", `{"command":"callbackX","bo`, "broken JSON at byte 26")
	bad("no command", `{"body":{}}`, `no "command"`)
	bad("a wrong type", `{"command":1}`, `"command" cannot be a JSON number`)
	bad("both bodies", `{"command":"callbackX","body":{},"body_base64":"aGk="}`, "both")
}

// small is a callback that fuzzing can make something of.
var small = &Callback{
	ID: "a", At: noon, Duration: 5, Command: "c", GroupID: "g", Rules: []string{"r", "q"}, Asked: []string{"s"},
	Verdict: "refuse", Code: -1, Trace: json.RawMessage(`{"n":1}`), Body: []byte("{}"),
}

func FuzzParseExport(f *testing.F) {
	line, err := AppendExport(nil, small)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"command":"x","body_base64":"aGk=","trace":{"a":[]},"at":"2026-01-01T00:00:00.5Z"}`))
	f.Add([]byte("{\"command\":\"x\",\"body\":[\n1 ]}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := ParseExport(line)
		if err != nil {
			return
		}
		again, err := AppendExport(nil, &e.Callback)
		if err != nil {
			return // a year beyond 9999 and the like
		}
		back, err := ParseExport(again)
		if err != nil {
			t.Fatalf("%q was read, and written as %q: %v", line, again, err)
		}
		twice, err := AppendExport(nil, &back.Callback)
		if err != nil || !bytes.Equal(again, twice) {
			t.Fatalf("written as %q, then as %q, %v", again, twice, err)
		}
	})
}

// FuzzRecords reads chunks that nobody wrote.
func FuzzRecords(f *testing.F) {
	var e encoder
	var c chunk
	c.reset()
	c.addCallback(small, e.callback(small))
	a := &Attempt{DeliveryID: "a.s", CallbackID: "a", Sink: "s", At: noon, Attempt: 1, Status: 500, State: "retrying", Answer: "no"}
	c.addAttempt(a, e.attempt(a))
	f.Add(c.records)
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0x0d, 1, 2, 3, 4, 0x12, 0})
	f.Fuzz(func(t *testing.T, records []byte) {
		q := Filter{GroupID: "a", Sink: "b", Unmatched: true}.query()
		_ = eachRecord(records, func(tag int, record []byte) (bool, error) {
			if tag != tagCallback {
				_, err := decodeAttempt(record)
				return true, err
			}
			_, _, err := q.look(record)
			c, decoding := decodeCallback(record)
			if (err == nil) != (decoding == nil) {
				t.Errorf("looking: %v, decoding: %v", err, decoding)
			}
			if decoding == nil {
				var e encoder
				back, err := decodeCallback(e.callback(c))
				if err != nil || !reflect.DeepEqual(c, back) {
					t.Errorf("%+v became %+v, %v", c, back, err)
				}
			}
			return true, err
		})
	})
}
