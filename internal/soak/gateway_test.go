package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A gateway is the real program as a process of its own, started again and again over one data folder.
type gateway struct {
	binary, dir   string
	data          string   // the data folder
	flags         []string // beside the usual ones
	listen, admin string
	log           *os.File
	cmd           *exec.Cmd
	began         []time.Duration // how long each start took, until callbacks were answered
}

func build(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{dir: t.TempDir(), listen: freeAddress(t), admin: freeAddress(t)}
	g.data = filepath.Join(g.dir, "data")
	var err error
	if g.binary, err = binary(); err != nil {
		t.Fatal(err)
	}
	if g.log, err = os.Create(filepath.Join(g.dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.log.Close() })
	return g
}

// binary builds the program, once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "callboard")
	if out, err := exec.Command("go", "build", "-o", path, "callboard/cmd/callboard").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building callboard: %w\n%s", err, out)
	}
	return path, nil
})

// programs is the folder for what is built.
var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "soak"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(programs)
	os.Exit(code)
}

// launch starts the process.
func (g *gateway) launch(t *testing.T) {
	t.Helper()
	g.cmd = exec.Command(g.binary, append([]string{"serve", "--rules", filepath.Join(g.dir, "rules.yaml"), "--data", g.data,
		"--listen", g.listen, "--admin", g.admin, "--on-trouble", "refuse", "--log-format", "json", "--drain-delay", "0s"}, g.flags...)...)
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process := g.cmd.Process
	t.Cleanup(func() { process.Kill() }) // whatever became of the test; one that ended does not mind
}

// start starts the process and waits until it is ready.
func (g *gateway) start(t *testing.T) {
	t.Helper()
	begun := time.Now()
	g.launch(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !g.ready(ctx) {
		if ctx.Err() != nil {
			g.fail(t, "not ready within a minute")
		}
		pause(ctx, 5*time.Millisecond)
	}
	g.began = append(g.began, time.Since(begun))
}

func (g *gateway) ready(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.admin+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// kill ends the process as a crash would.
func (g *gateway) kill() {
	g.cmd.Process.Kill()
	g.cmd.Wait() // killed: its error is no news
}

// stop ends it as an operator would.
func (g *gateway) stop(t *testing.T) {
	t.Helper()
	g.cmd.Process.Signal(syscall.SIGTERM)
	if err := g.cmd.Wait(); err != nil {
		g.fail(t, fmt.Sprintf("after SIGTERM: %v", err))
	}
}

// fail ends the test with the end of the log.
func (g *gateway) fail(t *testing.T, what string) {
	t.Helper()
	log, _ := os.ReadFile(g.log.Name())
	var lines []string
	for line := range strings.Lines(string(log)) {
		if !strings.Contains(line, `"callback answered"`) {
			lines = append(lines, line)
		}
	}
	t.Fatalf("%s; the end of the log:\n%s", what, strings.Join(lines[max(0, len(lines)-30):], ""))
}

// waiting returns how many deliveries the gateway still has, of all sinks.
func (g *gateway) waiting(ctx context.Context) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.admin+"/api/sinks", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var v json.RawMessage
	err = json.NewDecoder(resp.Body).Decode(&v)
	return string(v), err
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// pause waits for real: the processes around cannot be hurried.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
