package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A scene is a gateway with one sink, "sink", that takes nothing until calm.
type scene struct {
	*gateway
	o    *oracle
	calm *atomic.Bool
	n    int
}

func newScene(t *testing.T, until behave, flags ...string) *scene {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs the real program; run without -short")
	}
	t.Parallel() // each mostly waits
	s := &scene{gateway: build(t), o: newOracle("sink"), calm: new(atomic.Bool)}
	s.flags = flags
	rules := fmt.Sprintf(`sinks:
  sink:
    url: %s
    order_by: groupID
    secret: %s
    timeout: 20s
    retry: {backoff: 20ms, max_backoff: 200ms}
    breaker: {failures: 20, delay: 50ms, max_delay: 200ms}
rules:
  - {name: everything, callbacks: [afterSendGroupMsg], notify: sink}
`, startSink(t, "sink", s.o, s.calm, until), secret)
	if err := os.WriteFile(filepath.Join(s.dir, "rules.yaml"), []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// away answers nothing but errors.
func away(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusServiceUnavailable)
	return false
}

// hung answers when the gateway has given up.
func hung(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return false
}

// callback sends one with a content of so many bytes, and reports whether it was acknowledged. However it went, it was answered
// within the budget.
func (s *scene) callback(t *testing.T, size int) (acknowledged bool) {
	t.Helper()
	const command = "callbackAfterSendGroupMsgCommand"
	s.n++
	m := message{group: fmt.Sprintf("g%d", s.n%3), number: s.n}
	body := fmt.Sprintf(`{"callbackCommand":%q,"operationID":"op-%s","serverMsgID":%q,"groupID":%q,"sendID":"u1","contentType":101,"content":%q}`,
		command, m.id(), m.id(), m.group, strings.Repeat("x", size))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // the budget is 4
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.listen+"/"+command, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.fail(t, err.Error())
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		t.Fatal(err)
	case bytes.HasPrefix(answer, []byte(`{"actionCode":0`)):
		s.o.ack(m)
		return true
	case !bytes.HasPrefix(answer, []byte(`{"actionCode":1`)):
		s.fail(t, fmt.Sprintf("answer %s, want a refusal as --on-trouble says", answer))
	}
	return false
}

// fill sends callbacks until one is refused.
func (s *scene) fill(t *testing.T) {
	t.Helper()
	for range 3000 {
		if !s.callback(t, 20_000) {
			return
		}
		pause(t.Context(), 3*time.Millisecond) // a disk does not get full within one checkpoint's time
	}
	s.fail(t, "it never got full")
}

// refusesLoudly checks what people and load balancers see of a queue that takes nothing.
func (s *scene) refusesLoudly(t *testing.T, logged string) {
	t.Helper()
	if ready := s.get(t, "/readyz"); !strings.Contains(ready, `"degraded"`) {
		s.fail(t, "/readyz says "+ready)
	}
	metrics := s.get(t, "/metrics")
	if !strings.Contains(metrics, "\ncallboard_queue_accepting 0\n") || strings.Contains(metrics, "\ncallboard_queue_append_errors_total 0\n") {
		t.Error("the metrics do not say that nothing is accepted")
	}
	for range 100 { // lines wait a little for company
		if log, err := os.ReadFile(s.log.Name()); err == nil && bytes.Contains(log, []byte(logged)) {
			return
		}
		pause(t.Context(), 20*time.Millisecond)
	}
	s.fail(t, fmt.Sprintf("the log does not say %q", logged))
}

func (s *scene) get(t *testing.T, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + s.admin + path)
	if err != nil {
		s.fail(t, err.Error())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// recovers waits until callbacks are taken again.
func (s *scene) recovers(t *testing.T) {
	t.Helper()
	for range 600 {
		if strings.Contains(s.get(t, "/readyz"), `"status":"ready"`) && s.callback(t, 20_000) {
			return
		}
		pause(t.Context(), 50*time.Millisecond)
	}
	s.fail(t, "it does not take callbacks again, though there should be room")
}

// ends settles everything, stops, and judges.
func (s *scene) ends(t *testing.T) {
	t.Helper()
	s.settle(t, s.o)
	s.stop(t)
	for _, problem := range s.o.problems {
		t.Error(problem)
	}
	if n := s.o.duplicates("sink"); n > 0 {
		t.Errorf("%d deliveries came twice, though nothing was killed", n)
	}
}

func TestWithAFullQueueCallbacksAreTroubleUntilThereIsRoom(t *testing.T) {
	s := newScene(t, away, "--queue-max-bytes", "1MiB")
	s.start(t)
	s.fill(t)
	s.refusesLoudly(t, "the queue is full: new callbacks are not accepted")
	s.calm.Store(true)
	s.recovers(t)
	s.ends(t)
}

func TestWithAFullQueueDiscardingMakesRoom(t *testing.T) {
	s := newScene(t, away, "--queue-max-bytes", "1MiB")
	s.start(t)
	s.fill(t)
	if out, err := exec.Command(s.binary, "deliveries", "discard", "--sink", "sink", "--admin", s.admin).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.o = newOracle("sink") // of what was discarded nothing is promised
	s.recovers(t)
	s.stop(t)
}

// On a full disk even the end of a delivery needs room to be noted, so it is the hardest case of all.
func TestOnAFullDiskCallbacksAreTroubleUntilThereIsRoom(t *testing.T) {
	for name, size := range map[string]string{"small": "8m", "larger": "24m"} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, away)
			mount(t, s.data, "-t", "tmpfs", "-o", "size="+size, "tmpfs")
			s.start(t)
			s.fill(t)
			s.refusesLoudly(t, "the queue cannot be written: new callbacks are not accepted")
			s.calm.Store(true)
			s.recovers(t)
			s.ends(t)
		})
	}
}

// mount mounts something at a folder for the length of the test.
func mount(t *testing.T, folder string, how ...string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", append(how, folder)...).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// refusesToStart sees that it says why, and ends.
func (s *scene) refusesToStart(t *testing.T, want string) {
	t.Helper()
	s.launch(t)
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it ended without an error")
		}
	case <-time.After(20 * time.Second):
		s.kill()
		s.fail(t, "it started")
	}
	if log, err := os.ReadFile(s.log.Name()); err != nil || !strings.Contains(string(log), want) {
		s.fail(t, fmt.Sprintf("it did not say %q", want))
	}
}

func TestADataFolderThatCannotBeWrittenKeepsItFromStarting(t *testing.T) {
	s := newScene(t, away)
	mount(t, s.data, "-t", "tmpfs", "-o", "ro", "tmpfs")
	s.refusesToStart(t, "read-only file system")
}

func TestADataFolderOfAnotherProcessKeepsItFromStarting(t *testing.T) {
	s := newScene(t, away)
	s.start(t)
	second := *s
	second.gateway = build(t)
	second.dir, second.data = s.dir, s.data
	second.refusesToStart(t, "locked by another process")
	if !s.callback(t, 10) {
		t.Error("the first process does not go on")
	}
	s.calm.Store(true)
	s.ends(t)
}

func TestDamagedFilesAreToldFromTornOnes(t *testing.T) {
	s := newScene(t, away)
	s.start(t)
	for range 200 {
		s.callback(t, 5000)
	}
	s.kill()
	file := filepath.Join(s.data, "queue.db")
	wal, err := os.OpenFile(file+"-wal", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = wal.Write(bytes.Repeat([]byte("torn"), 5000)) // a write that a crash interrupted
	if err = errors.Join(err, wal.Close()); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.callback(t, 10)
	s.stop(t) // in order: everything is in the file now
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	for i := 8192; i < len(damaged); i += 64 {
		damaged[i] ^= 0x5a
	}
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s.refusesToStart(t, "is damaged")
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t) // with the backup
	s.calm.Store(true)
	s.ends(t)
}

// What is in flight at SIGTERM finishes, or goes back when the time is up; nothing is lost, and nothing that was taken comes twice.
func TestStoppingWithAttemptsInFlight(t *testing.T) {
	var number atomic.Int64
	s := newScene(t, func(w http.ResponseWriter, r *http.Request) bool {
		if number.Add(1)%2 == 0 {
			return hung(w, r)
		}
		pause(r.Context(), time.Second)
		return r.Context().Err() == nil
	}, "--shutdown-timeout", "3s")
	s.start(t)
	for range 30 {
		if !s.callback(t, 100) {
			t.Fatal("a callback was refused")
		}
	}
	begun := time.Now()
	s.stop(t)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("stopping took %v with --shutdown-timeout 3s", took)
	}
	s.calm.Store(true)
	s.start(t)
	s.ends(t)
}
