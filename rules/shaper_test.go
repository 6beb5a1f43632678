package rules

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
)

// shapedBy loads one sink that a rule for beforeSendGroupMsg asks, and shapes a callback for it.
func shapedBy(t *testing.T, sink, body string) (Shaped, error) {
	t.Helper()
	s := sinkNamed(t, sink)
	cb, err := openim.Decode(openim.Request{
		Path: "/prod/callbackBeforeSendGroupMsgCommand", Body: []byte(body), Header: http.Header{"X-Real-Ip": {"10.1.2.3"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Shaper.Shape(cb, time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC))
}

func sinkNamed(t *testing.T, sink string) *Sink {
	t.Helper()
	file := "sinks:\n  s:\n    url: http://s.internal/\n" + sink + "rules:\n  - {name: r, callbacks: [beforeSendGroupMsg], await: {sinks: [s]}}\n"
	set, found := Load([]File{{"f.yaml", []byte(file)}}, Options{})
	if set == nil {
		t.Fatalf("does not load: %v\n%s", found, file)
	}
	return set.Sinks[0]
}

func TestShape(t *testing.T) {
	const message = `{"groupID": "eu-7",  "sendID":"u1", "seq":9007199254740993, "content":"<b>", "list":[1.50]}`
	for _, row := range []struct {
		name, sink string
		want       Shaped
	}{
		{"fields are added and the rest stays byte for byte",
			"    set: {fields: {tenant: 'split(groupID, \"-\")[0]', vip: 'sendID in [\"u1\"]'}}\n",
			Shaped{Body: []byte(`{"groupID": "eu-7",  "sendID":"u1", "seq":9007199254740993, "content":"<b>", "list":[1.50],"tenant":"eu","vip":true}`)}},
		{"a field of the callback is replaced in its place",
			"    set: {fields: {sendID: 'upper(sendID)', seq: seq + 1}}\n",
			Shaped{Body: []byte(`{"groupID": "eu-7",  "sendID":"U1", "seq":9007199254740994, "content":"<b>", "list":[1.50]}`)}},
		{"headers are texts",
			"    set: {headers: {x-seq: seq, X-At: now, X-Vip: 'sendID in [\"u1\"]', X-None: ex, X-IP: 'headers[\"X-Real-IP\"]'}}\n",
			Shaped{Body: []byte(message), Headers: []Header{{"X-Seq", "9007199254740993"}, {"X-At", "2026-03-06T12:00:00Z"}, {"X-Vip", "true"}, {"X-Ip", "10.1.2.3"}}}},
		{"a body is built, and fields are set in it",
			"    body: '{\"text\": content, \"source\": source}'\n    set: {fields: {source: '\"im/\" + source', group: groupID}}\n",
			Shaped{Body: []byte(`{"source":"im/prod","text":"<b>","group":"eu-7"}`)}},
		{"a body may be a list", "    body: '[groupID, seq]'\n", Shaped{Body: []byte(`["eu-7",9007199254740993]`)}},
		{"what fails is left out, and the rest goes",
			"    set:\n      headers: {X-A: int(sendID), X-B: groupID, X-C: raw.list, X-D: 'raw.nothing.more'}\n      fields: {a: int(sendID), sendID: int(content), b: 1}\n",
			Shaped{Body: []byte(strings.TrimSuffix(message, "}") + `,"b":1}`), Headers: []Header{{"X-B", "eu-7"}}, Notes: []string{
				"field a left out: this text cannot be read as an integer",
				"field sendID left out: this text cannot be read as an integer",
				"header X-A left out: this text cannot be read as an integer",
				"header X-C left out: a list cannot be read as text",
			}}},
	} {
		got, err := shapedBy(t, row.sink, message)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\nbody: %s", row.name, diff, got.Body)
		}
	}
}

func TestHeadersThatCannotBeSent(t *testing.T) {
	for value, why := range map[string]string{
		`a\nb`:                    "its value has a line break or another control character",
		strings.Repeat("a", 1025): "its value has 1025 bytes, 1024 are allowed",
		strings.Repeat("é", 512):  "",
		"":                        "",
		`\u007f`:                  "its value has a line break or another control character",
	} {
		got, err := shapedBy(t, "    set: {headers: {X-Content: content}}\n", `{"content":"`+value+`"}`)
		want := ""
		if why != "" {
			want = "header X-Content left out: " + why
		}
		if note := strings.Join(got.Notes, "; "); note != want || err != nil || len(got.Headers) > 0 != (why == "" && value != "") {
			t.Errorf("%.10q: headers %v, notes %q, %v; want %q", value, got.Headers, note, err, want)
		}
	}
}

func TestBodiesThatCannotBeMade(t *testing.T) {
	for _, row := range [][3]string{
		{"    body: 'int(sendID)'\n", `{"sendID":"secret"}`, "making its body: this text cannot be read as an integer"},
		{"    body: 'data.level'\n", `{"content":"{}"}`, "making its body: the expression is nil for this callback"},
		{"    body: data\n    set: {fields: {a: 1}}\n", `{"content":"[1]"}`, "making its body: it is no object for this callback, so no fields can be set in it"},
		{"    body: '{\"n\": 1 / seq}'\n", `{"seq":0}`, "making its body: its value has a number that JSON does not have"},
	} {
		if got, err := shapedBy(t, row[0], row[1]); err == nil || err.Error() != row[2] {
			t.Errorf("%s is %s, %v; want %s", row[0], got.Body, err, row[2])
		}
	}
}

func TestVoteKeys(t *testing.T) {
	for _, row := range []struct {
		name, sink, sender, want, err string
	}{
		{"an expression's value", "    cache: {key: 'sendID + \"/x\"', ttl: 1s}\n", "u1", "u1/x", ""},
		{"a long one", "    cache: {key: sendID, ttl: 1s}\n", strings.Repeat("u", 600), shortKey(strings.Repeat("u", 600)), ""},
		{"an empty one", "    cache: {key: sendID, ttl: 1s}\n", "", "", ""},
		{"one that fails", "    cache: {key: int(sendID), ttl: 1s}\n", "u1", "", "this text cannot be read as an integer"},
		{"without a cache", "    set: {fields: {a: 1}}\n", "u1", "", ""},
		{"without anything", "", "u1", "", ""},
	} {
		cb, err := openim.Decode(openim.Request{Path: "/callbackBeforeSendGroupMsgCommand", Body: []byte(`{"sendID":"` + row.sender + `"}`)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := sinkNamed(t, row.sink).Shaper.VoteKey(cb)
		if got != row.want || (err == nil) != (row.err == "") || err != nil && err.Error() != row.err {
			t.Errorf("%s: %q, %v; want %q, %s", row.name, got, err, row.want, row.err)
		}
	}
}

func TestShapeSettings(t *testing.T) {
	set := okCase(t, "shape")
	archive, risk := set.Sinks[0], set.Sinks[2]
	want := []Computed{{"x-real-ip", `headers["x-real-ip"]`}, {"X-Tenant", `split(groupID, "-")[0]`}}
	if diff := cmp.Diff(want, risk.SetHeaders); diff != "" {
		t.Errorf("headers of risk (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Computed{{"isVIP", `sendID in ["u1"]`}, {"at", "now"}, {"source", "source"}}, risk.SetFields); diff != "" {
		t.Errorf("fields of risk (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Cache{Key: "sendID", TTL: 30 * time.Second, StaleOnFailure: 10 * time.Minute, Max: 500}, risk.Cache); diff != "" {
		t.Errorf("cache of risk (-want +got):\n%s", diff)
	}
	if archive.Body != "" || risk.Body == "" || archive.Cache != (Cache{}) || !archive.Shaper.Shapes() {
		t.Errorf("archive: body %q, cache %v; body of risk %q", archive.Body, archive.Cache, risk.Body)
	}
}
