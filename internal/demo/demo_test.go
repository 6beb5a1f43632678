package demo

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callboard/openim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	quickstart = "../../examples/quickstart"
	anyPort    = "127.0.0.1:0"
	// testPatience bounds waits that end by themselves unless something is broken.
	testPatience = 30 * time.Second
)

func TestOncePlaysEverySampleAsExpected(t *testing.T) {
	var out bytes.Buffer
	err := Run(t.Context(), Options{Rules: quickstart, Listen: anyPort, Admin: anyPort, Once: true, Out: &out})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := strings.Count(out.String(), "\n      ok  "); got != len(samples)-1 { // the first is not after a line break
		t.Errorf("%d samples are ok, want %d:\n%s", got+1, len(samples), &out)
	}
}

func TestOnceSaysWhatDiffers(t *testing.T) {
	rules := copyOfQuickstart(t)
	edit(t, filepath.Join(rules, "announcements.yaml"), "code: 20403", "code: 20499")
	edit(t, filepath.Join(rules, "moderation.yaml"), "[beforeMsgModify]", "[beforeSendSingleMsg]")
	var out bytes.Buffer
	err := Run(t.Context(), Options{Rules: rules, Listen: anyPort, Admin: anyPort, Once: true, Out: &out})
	if !errors.Is(err, ErrUnexpected) {
		t.Fatalf("Run: %v, want ErrUnexpected\n%s", err, &out)
	}
	for _, want := range []string{"wanted refuse 20403, got refuse 20499", "wanted content", "2 of"} {
		if !strings.Contains(out.String()+err.Error(), want) {
			t.Errorf("nothing says %q in:\n%s\n%v", want, &out, err)
		}
	}
	if got := strings.Count(out.String(), "FAILED"); got != 2 {
		t.Errorf("%d samples FAILED, want 2:\n%s", got, &out)
	}
}

func TestTakenPortsAreReplaced(t *testing.T) {
	taken, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Rules: quickstart, Listen: address, Admin: address, Once: true, Out: &out}); err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := strings.Count(out.String(), address+" is not to be had"); got != 2 {
		t.Errorf("%d ports were replaced, want 2:\n%s", got, &out)
	}
}

func TestBrokenRulesAreShown(t *testing.T) {
	rules := copyOfQuickstart(t)
	edit(t, filepath.Join(rules, "announcements.yaml"), "sendID not in", "sendId not in")
	var out bytes.Buffer
	err := Run(t.Context(), Options{Rules: rules, Listen: anyPort, Admin: anyPort, Out: &out})
	if err == nil || !strings.Contains(out.String(), "sendId") {
		t.Errorf("Run: %v, having shown:\n%s", err, &out)
	}
	if err := Run(t.Context(), Options{Rules: filepath.Join(rules, "nowhere"), Out: &out}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Run without a folder: %v", err)
	}
}

// TestStream lets people do what they would: look, edit, make a mistake, mend it, send something, leave.
func TestStream(t *testing.T) {
	rules := copyOfQuickstart(t)
	announcements := filepath.Join(rules, "announcements.yaml")
	seen := newTerminal(t)
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Rules: rules, Listen: anyPort, Admin: anyPort, Interval: time.Millisecond, Out: seen})
	}()

	seen.waitFor(`REFUSE  20403 "Only administrators post here"`)
	edit(t, announcements, "Only administrators post here", "Read only, sorry")
	seen.waitFor("RULES TAKEN")
	seen.waitFor(`REFUSE  20403 "Read only, sorry"`)

	edit(t, announcements, "groupID ==", "groupId ==")
	seen.waitFor("RULES NOT TAKEN")
	seen.waitFor("announcements.yaml:")
	seen.waitFor(`REFUSE  20403 "Read only, sorry"`)
	edit(t, announcements, "groupId ==", "groupID ==")
	seen.waitFor("RULES MENDED")

	url := regexp.MustCompile(`callbacks  (http://\S+)`).FindStringSubmatch(seen.text())[1]
	body := strings.Replace(string(openim.DocumentedGroupMessage().Body), `"operationID":"1767225600000"`, `"operationID":"mine"`, 1)
	post(t, url+"/callbackAfterSendGroupMsgCommand", body)
	seen.waitFor(`afterSendGroupMsg  from elsewhere, operation "mine"`)

	leave()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	seen.waitFor("callbacks played")
}

func TestRulesComeFromTheRepositoryOrTheBinary(t *testing.T) {
	if got, err := findRules(""); err != nil || got.copied() || got.path != filepath.FromSlash(quickstart) {
		t.Errorf("inside the repository: %+v, %v", got, err)
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp) // of Unix
	t.Setenv("TMP", temp)    // of Windows
	t.Chdir(t.TempDir())
	got, err := findRules("")
	if err != nil || !got.copied() || filepath.Dir(got.temp) != temp {
		t.Fatalf("outside: %+v, %v", got, err)
	}
	for _, name := range []string{"announcements.yaml", "../rules.schema.json"} {
		if _, err := os.Stat(got.file(name)); err != nil {
			t.Error(err)
		}
	}

	var out bytes.Buffer
	if err := Run(t.Context(), Options{Listen: anyPort, Admin: anyPort, Once: true, Out: &out}); err != nil {
		t.Errorf("Run: %v\n%s", err, &out)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 1 {
		t.Errorf("once left its copy of the rules behind: %v, %v", left, err)
	}
}

func TestOverride(t *testing.T) {
	got, err := override([]byte(`{"b":"x","a":[1, {"b":2}],"c":null}`), map[string]any{"b": 9007199254740993, "c": []string{"<"}})
	if want := `{"b":9007199254740993,"a":[1,{"b":2}],"c":["\u003c"]}`; err != nil || strings.TrimSpace(string(got)) != want {
		t.Errorf("override: %s, %v, want %s", got, err, want)
	}
	if got, err := override([]byte(`{"b":"x"}`), map[string]any{"B": 1}); err == nil {
		t.Errorf("a field that is not there was set: %s", got)
	}
}

// A terminal keeps what was written and lets a test wait for it.
type terminal struct {
	t     *testing.T
	ctx   context.Context
	mu    sync.Mutex
	grown *sync.Cond
	all   strings.Builder // guarded by mu
	read  int             // how far waitFor has come; guarded by mu
}

func newTerminal(t *testing.T) *terminal {
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	t.Cleanup(cancel)
	s := &terminal{t: t, ctx: ctx}
	s.grown = sync.NewCond(&s.mu)
	context.AfterFunc(ctx, s.grown.Broadcast)
	return s
}

func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.grown.Broadcast()
	return s.all.Write(p)
}

func (s *terminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// waitFor waits until want is written after what was waited for before.
func (s *terminal) waitFor(want string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if i := strings.Index(s.all.String()[s.read:], want); i >= 0 {
			s.read += i + len(want)
			return
		}
		if s.ctx.Err() != nil {
			s.t.Fatalf("waiting in vain for %q in:\n%s", want, s.all.String()[s.read:])
		}
		s.grown.Wait()
	}
}

func copyOfQuickstart(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(quickstart)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edit replaces a text in a file as editors do: a new file in place of the old one.
func edit(t *testing.T, path, before, after string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(text), before, after)
	if changed == string(text) {
		t.Fatalf("%s does not hold %q", path, before)
	}
	if err := os.WriteFile(path+"~", []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

func post(t *testing.T, url, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: testPatience}
	defer client.CloseIdleConnections()
	resp, err := client.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
