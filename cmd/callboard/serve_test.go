package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"callboard/openim"
)

// startServe starts a real gateway with empty rules, its log going to a pipe, and returns it when its
// listeners are open.
func startServe(t *testing.T) (serve *exec.Cmd, log io.ReadCloser, ready readyFile) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte("rules: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ready.json")
	serve = exec.Command("callboard", "serve", "--rules", dir, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--drain-delay", "0s", "--ready-file", path, "--data", filepath.Join(dir, "data"))
	log, err := serve.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serve.Process.Kill() })
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for giveUp := time.After(patience); ; {
		if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &ready) == nil {
			return serve, log, ready
		}
		select {
		case <-tick.C:
		case <-giveUp:
			t.Fatal("the gateway did not get ready")
		}
	}
}

// mustAllow posts a callback and expects an allow.
func mustAllow(t *testing.T, client *http.Client, address string) {
	t.Helper()
	command, _ := openim.Lookup("beforeSendGroupMsg")
	resp, err := client.Post("http://"+address+"/"+command.Name, "application/json", bytes.NewReader(openim.Sample(command)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if reading := openim.ReadReply(reply, command, openim.V37); err != nil || reading.Refused {
		t.Fatalf("reply %s, %v: %s", reply, err, reading.Why)
	}
}

// A pipe holds 64 KiB: far less than so many callbacks log.
const moreThanAPipeHolds = 2000

func TestServeAnswersThoughItsLogIsStuck(t *testing.T) {
	serve, _, ready := startServe(t)
	client := &http.Client{Timeout: patience}
	for range moreThanAPipeHolds {
		mustAllow(t, client, ready.Callbacks)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state, err := serve.Process.Wait(); err != nil || !state.Success() {
		t.Errorf("the gateway ended with %v, %v", state, err)
	}
}

func TestServeAnswersThoughTheReaderOfItsLogIsGone(t *testing.T) {
	serve, log, ready := startServe(t)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: patience}
	for range 10 {
		mustAllow(t, client, ready.Callbacks)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state, err := serve.Process.Wait(); err != nil || !state.Success() {
		t.Errorf("the gateway ended with %v, %v", state, err)
	}
}

func TestServeReadsItsRulesOnSIGHUP(t *testing.T) {
	serve, log, _ := startServe(t)
	if err := serve.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	giveUp := time.AfterFunc(patience, func() { _ = serve.Process.Kill() }) // ends the log
	defer giveUp.Stop()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if strings.Contains(lines.Text(), `msg="rules unchanged"`) {
			return
		}
	}
	t.Error("the log does not say that the rules were read")
}

// IMServer passes on the operationID of its users' requests, whose headers may have a MiB.
func TestServeTakesTheLongestOperationID(t *testing.T) {
	_, log, ready := startServe(t)
	go func() { _, _ = io.Copy(io.Discard, log) }()
	request, err := http.NewRequest(http.MethodPost, "http://"+ready.Callbacks+"/x", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("operationID", strings.Repeat("o", http.DefaultMaxHeaderBytes))
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %s", resp.Status)
	}
}

// Connections must outlive the pauses between callbacks, and tell clients to leave before they close.
func TestServeKeepsConnectionsUntilItDrains(t *testing.T) {
	serve, log, ready := startServe(t)
	go func() { _, _ = io.Copy(io.Discard, log) }()
	resp, err := http.Post("http://"+ready.Callbacks+"/x", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Close {
		t.Error("the connection is closed after one callback")
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Location") != "" {
		t.Errorf("a request that is no callback got %s", resp.Status)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state, err := serve.Process.Wait(); err != nil || !state.Success() {
		t.Errorf("the gateway ended with %v, %v", state, err)
	}
}
