package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // "sqlite", the other driver
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drivers are what every test of the file itself runs on.
var drivers = []string{"sqlite3", "sqlite"}

func eachDriver(t *testing.T, f func(t *testing.T, o Options)) {
	for _, driver := range drivers {
		t.Run(driver, func(t *testing.T) {
			f(t, Options{Path: filepath.Join(t.TempDir(), "journal.db"), Driver: driver})
		})
	}
}

// open opens a journal that is not run: records are written when the test calls write, or close.
func open(t testing.TB, o Options) *Journal {
	t.Helper()
	if o.MaxAge == 0 {
		o.MaxAge = ever
	}
	j, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !j.isClosed() {
			shut(t, j)
		}
	})
	return j
}

func (j *Journal) isClosed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
}

func shut(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// write writes all that was recorded, as chunks.
func write(t testing.TB, j *Journal) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.drainLocked()
	if !j.open.empty() {
		j.fullLocked()
	}
	if err := j.writeLocked(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, j *Journal, f Filter, oldestFirst bool) []*Callback {
	t.Helper()
	var found []*Callback
	if err := j.Find(context.Background(), f, oldestFirst, func(c *Callback) bool { found = append(found, c); return true }); err != nil {
		t.Fatal(err)
	}
	return found
}

// differ tells how two lists of callbacks differ first, "" when they do not. go-cmp looks at each byte of each body.
func differ(want, got []*Callback) string {
	for i := range min(len(want), len(got)) {
		if !reflect.DeepEqual(want[i], got[i]) {
			return fmt.Sprintf("callback %d (-want +got):\n%s", i, cmp.Diff(want[i], got[i]))
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d callbacks, want %d", len(got), len(want))
	}
	return ""
}

func ids(cs []*Callback) []string {
	out := []string{}
	for _, c := range cs {
		out = append(out, c.ID)
	}
	return out
}

// ever is how long records are kept here: those of tests have fixed times.
const ever = 200 * 365 * 24 * time.Hour

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// ulid is the id of the nth callback, which came at a time.
func ulid(at time.Time, n int) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	b := make([]byte, 26)
	for i, ms := 9, at.UnixMilli(); i >= 0; i, ms = i-1, ms>>5 {
		b[i] = digits[ms&31]
	}
	for i := 25; i >= 10; i, n = i-1, n>>5 {
		b[i] = digits[n&31]
	}
	return string(b)
}

// sample is a callback as they come in practice: a body of 1 KB, a trace of 1.5 KB.
func sample(at time.Time, n int) *Callback {
	group, user := fmt.Sprintf("group-%d", n%977), fmt.Sprintf("user-%d", n*7919%10007)
	return &Callback{
		ID: ulid(at, n), At: at, Duration: time.Duration(1200+n%700) * time.Microsecond,
		Command: "callbackBeforeSendGroupMsgCommand", Source: "prod", Path: "/prod/callbackBeforeSendGroupMsgCommand",
		OperationID: fmt.Sprintf("op-%016x", uint64(n)*0x9E3779B97F4A7C15), MessageID: fmt.Sprintf("%032x", uint64(n)*0xD1B54A32D192ED03),
		GroupID: group, SenderID: user, Revision: "3fa9c04b7d21",
		Rules: []string{"moderate-support-groups", "archive-all"}, Asked: []string{"moderation"}, Notified: []string{"archive", "search", "push"},
		Verdict: "allow",
		Trace:   sampleTrace(n),
		Body: fmt.Appendf(nil, `{"callbackCommand":"callbackBeforeSendGroupMsgCommand","operationID":"op-%016x","sendID":"%s","groupID":"%s",`+
			`"serverMsgID":"%032x","clientMsgID":"%032x","senderPlatformID":%d,"senderNickname":"Nickname of %s","sessionType":3,"msgFrom":100,`+
			`"contentType":101,"status":1,"sendTime":%d,"createTime":%d,"content":"{\"content\":\"Message %d, %x: %s\"}","seq":%d,"atUserList":[],`+
			`"senderFaceURL":"https://cdn.example.com/faces/%s.png","ex":"{\"client\":\"ios\",\"version\":\"5.3.%d\",\"trace\":\"%x\"}",`+
			`"offlinePush":{"title":"New message","desc":"You have a new message","ex":"","iOSPushSound":"default","iOSBadgeCount":true}}`,
			uint64(n)*0x9E3779B97F4A7C15, user, group, uint64(n)*0xD1B54A32D192ED03, uint64(n)*0xA0761D6478BD642F, n%9, user,
			at.UnixMilli(), at.UnixMilli()-40, n, uint64(n)*0xE7037ED1A0B428DB, words(n), n, user, n%20, uint64(n)*0x8EBC6AF09C88C6E3),
	}
}

// words are about as hard to compress as what people write.
func words(n int) string {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	syllables := strings.Fields("a be co da el fi go ha in ju ka lo me ni or pa qui re so ta un ve wi xa yo ze ing tion er th st ou")
	var s strings.Builder
	for range 40 {
		for range 1 + r.IntN(3) {
			s.WriteString(syllables[r.IntN(len(syllables))])
		}
		s.WriteByte(' ')
	}
	return s.String()
}

// appended is a trace that writes itself.
type appended string

func (a appended) AppendJSON(b []byte) []byte { return append(b, a...) }

func sampleTrace(n int) appended {
	type vote struct {
		Sink, Vote, Reason string
		Attempts, Status   int
		MS                 float64
	}
	type rule struct{ Rule, Decision, Why string }
	text, _ := json.Marshal(map[string]any{
		"rules": []rule{
			{"moderate-support-groups", "allow", fmt.Sprintf("all of 2 sinks were asked, %d allowed, none refused", 2-n%2)},
			{"archive-all", "", "it only notifies"},
		},
		"asked":  []vote{{"moderation", "allow", "", 1, 200, float64(n%9000) / 1000}, {"risk", "allow", "", 1, 200, float64(n%7000) / 1000}},
		"notes":  []string{"field ex has another type than IMServer documents; conditions saw it as empty"},
		"queued": []string{"archive", "search", "push"},
		"reply":  json.RawMessage(fmt.Sprintf(`{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0,"ex":"%x"}`, n)),
		"why":    "every rule that decides allowed: moderate-support-groups (moderation, risk)",
		"conditions": []string{`groupID startsWith "support-" && contentType in [Text, AtText] && text matches "(?i)refund"`,
			`contentType != Typing && sendID not in ["admin1", "admin2", "robot"] && sessionType == ReadGroup`},
		"headers": map[string]string{"operationid": fmt.Sprint(n), "user-agent": "OpenIM-server/3.8", "content-type": "application/json"},
		"phases":  []string{fmt.Sprintf("decoded after %d us", n%90), fmt.Sprintf("matched after %d us", 90+n%80), fmt.Sprintf("queued after %d us", 400+n%300)},
	})
	return appended(text)
}

// sampleAttempts are the attempts at the three deliveries of a callback.
func sampleAttempts(c *Callback, n int) []*Attempt {
	var as []*Attempt
	for i, sink := range c.Notified {
		as = append(as, &Attempt{
			DeliveryID: c.ID + "." + sink, CallbackID: c.ID, Sink: sink, Command: c.Command, OperationID: c.OperationID,
			At: c.At.Add(time.Duration(3+i) * time.Millisecond), Duration: time.Duration(800+n%500) * time.Microsecond,
			Attempt: 1, Status: 200, State: "done", Answer: `{"ok":true}`,
		})
	}
	return as
}

// read is what a callback looks like when it comes back.
func (c *Callback) read() *Callback {
	r := *c
	r.At = time.UnixMilli(c.At.UnixMilli()).UTC()
	switch t := c.Trace.(type) {
	case nil:
	case appended:
		r.Trace = json.RawMessage(t)
	case json.RawMessage:
	default:
		text, _ := json.Marshal(t)
		r.Trace = json.RawMessage(text)
	}
	return &r
}

// fileSize is what the database takes, without its write-ahead log.
func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func chunkIDs(j *Journal) []int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []int64
	for _, m := range j.written {
		out = append(out, m.id)
	}
	return slices.Clip(out)
}

func raw(t testing.TB, o Options) *sql.DB {
	t.Helper()
	db, err := sql.Open(o.Driver, "file:"+o.Path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
