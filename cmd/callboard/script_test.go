package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"callboard": main})
}

// TestScripts runs the terminal sessions in testdata/script with the real main, each in an empty
// folder and with no variables of ours. Beside testscript's commands they have:
//
//	exit CODE callboard …   run it in the foreground and expect the exit code
//	up FILE                 wait for a ready file; sets CALLBACKS, ADMIN, PID
//	eventually URL STATUS [TEXT]
//	                        ask until the answer has the status and holds the text
//	signal NAME             send TERM, HUP or INT to PID
//	sink NAME REPLY [STATUS]
//	                        start a sink that answers so; sets its URL as NAME
//	hold NAME               start a sink that answers an allow only when told by the command release; sets its URL as NAME
//	post-held URL COMMAND   post a callback in the background; released and checked by release
//	release                 let the held sink answer and expect the posted callback's reply to be an allow
//	free-port NAME          set NAME to an address that nobody listens on
//	taken-port NAME         set NAME to an address that somebody listens on
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:      "testdata/script",
		Deadline: time.Now().Add(2 * patience), // a serve that should not have started must not run for ever
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, "GORACE=atexit_sleep_ms=0") // else each process takes a second to end under -race
			env.Values[heldKey{}] = &held{entered: make(chan struct{}), release: make(chan struct{}), reply: make(chan string, 1)}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exit":       cmdExit,
			"up":         cmdUp,
			"eventually": cmdEventually,
			"signal":     cmdSignal,
			"sink":       cmdSink,
			"hold":       cmdHold,
			"post-held":  cmdPostHeld,
			"release":    cmdRelease,
			"free-port":  cmdFreePort,
			"taken-port": cmdTakenPort,
		},
	})
}

func cmdExit(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// patience is how long a condition may take to come true: far longer than it ever should.
const patience = 30 * time.Second

// until asks again and again until ok, and gives up after patience.
func until(ts *testscript.TestScript, what string, ok func() bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	giveUp := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-giveUp:
			ts.Fatalf("gave up waiting until %s", what)
		}
	}
}

func cmdUp(ts *testscript.TestScript, _ bool, args []string) {
	var ready readyFile
	until(ts, args[0]+" is there", func() bool {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && json.Unmarshal(text, &ready) == nil
	})
	ts.Setenv("CALLBACKS", ready.Callbacks)
	ts.Setenv("ADMIN", ready.Admin)
	ts.Setenv("PID", strconv.Itoa(ready.PID))
}

func cmdEventually(ts *testscript.TestScript, _ bool, args []string) {
	var last string
	defer func() { ts.Logf("the last answer: %s", last) }()
	until(ts, strings.Join(args, " "), func() bool {
		resp, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			return false
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		last = resp.Status + " " + string(body)
		return strconv.Itoa(resp.StatusCode) == args[1] && (len(args) < 3 || strings.Contains(string(body), args[2]))
	})
}

func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(ts.Getenv("PID"))
	ts.Check(err)
	process, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(process.Signal(map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT}[args[0]]))
}

func cmdSink(ts *testscript.TestScript, _ bool, args []string) {
	status := http.StatusOK
	if len(args) > 2 {
		var err error
		status, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, args[1])
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// held is a sink that holds its answer, and the callback that waits for it.
type held struct {
	entered chan struct{} // closed when the sink was asked
	release chan struct{} // closed to let it answer
	reply   chan string   // of the callback
}

type heldKey struct{}

func cmdHold(ts *testscript.TestScript, _ bool, args []string) {
	h := ts.Value(heldKey{}).(*held)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(h.entered)
		select {
		case <-h.release:
			_, _ = io.WriteString(w, `{"actionCode":0}`)
		case <-r.Context().Done():
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

func cmdPostHeld(ts *testscript.TestScript, _ bool, args []string) {
	h := ts.Value(heldKey{}).(*held)
	var body bytes.Buffer
	cmd := exec.Command("callboard", "send", "--print", "--command", args[1])
	cmd.Env, cmd.Stdout = append(os.Environ(), "PATH="+ts.Getenv("PATH")), &body
	ts.Check(cmd.Run())
	go func() {
		resp, err := http.Post(args[0], "application/json", &body)
		if err != nil {
			h.reply <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		h.reply <- string(text)
	}()
	select {
	case <-h.entered:
	case <-time.After(patience):
		ts.Fatalf("the sink was not asked")
	}
}

func cmdRelease(ts *testscript.TestScript, _ bool, _ []string) {
	h := ts.Value(heldKey{}).(*held)
	close(h.release)
	var reply struct{ ActionCode, ErrCode, NextCode *int }
	text := <-h.reply
	if err := json.Unmarshal([]byte(text), &reply); err != nil || reply.NextCode == nil || *reply.NextCode != 0 {
		ts.Fatalf("the callback in flight got %q, want an allow", text)
	}
}

func cmdFreePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

func cmdTakenPort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}
