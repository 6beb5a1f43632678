package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var binaryDir string // of all tests

func TestMain(m *testing.M) {
	var err error
	if binaryDir, err = os.MkdirTemp("", "callboard-docs-"); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	os.RemoveAll(binaryDir)
	os.Exit(code)
}

// build makes the binary once for all tests.
var build = sync.OnceValues(func() (output []byte, err error) {
	return exec.Command("go", "build", "-o", binaryDir, "../cmd/callboard").CombinedOutput()
})

// callboard returns the binary's path.
func callboard(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the binary")
	}
	if output, err := build(); err != nil {
		t.Fatalf("building callboard: %v\n%s", err, output)
	}
	return filepath.Join(binaryDir, "callboard")
}

// environment is the test's own with callboard in the path and none of its variables, and more.
func environment(t *testing.T, more ...string) []string {
	env := []string{}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CALLBOARD_") && !strings.HasPrefix(v, "PATH=") {
			env = append(env, v)
		}
	}
	env = append(env, "PATH="+filepath.Dir(callboard(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	return append(env, more...)
}

// Blocks of language console are terminal sessions in the root of the repository.
func TestCommandsRun(t *testing.T) {
	for _, b := range blocks(t, "console") {
		session{t: t, dir: "..", env: environment(t)}.play(b)
	}
}

// Blocks of language "console server" have a gateway beside them that serves the folder rules, and is where
// the manual's addresses say.
func TestCommandsBesideAServerRun(t *testing.T) {
	for _, b := range blocks(t, "console server") {
		s := startServer(t)
		session{t: t, dir: s.dir, env: environment(t, "CALLBOARD_ADMIN="+s.Admin), server: s}.play(b)
	}
}

// A session plays a block: lines that begin with $ are commands, the lines below each are all that it prints, in
// which … stands for anything, and a line of its own of … for any lines. A command without such lines may print what it likes.
type session struct {
	t      *testing.T
	dir    string
	env    []string
	server *server
}

func (s session) play(b block) {
	for _, shown := range strings.Split("\n"+b.text, "\n$ ")[1:] {
		command, expected, _ := strings.Cut(shown, "\n")
		if s.server != nil {
			command, expected = s.server.address(command), s.server.address(expected)
		}
		s.run(b.place(), command, expected)
	}
}

func (s session) run(place, command, expected string) {
	if program, _, _ := strings.Cut(command, " "); program == "curl" {
		if _, err := exec.LookPath(program); err != nil {
			s.t.Logf("%s: no %s on this machine", place, program)
			return
		}
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	// A command that shows a refusal or a finding exits with 1. What it must not do is fail.
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		s.t.Errorf("%s: %s: %v\n%s", place, command, err, out)
		return
	}
	if expected != "" && !pattern(expected).Match(out) {
		s.t.Errorf("%s: %s prints\n%s\nwhich is not\n%s", place, command, out, expected)
	}
}

// pattern matches what a block shows.
func pattern(shown string) *regexp.Regexp {
	var p strings.Builder
	p.WriteString(`\A`)
	for line := range strings.Lines(strings.TrimRight(shown, "\n") + "\n") {
		if line == "…\n" {
			p.WriteString(`(?:.*\n)*`)
			continue
		}
		for i, part := range strings.Split(strings.TrimRight(line, "\n"), "…") {
			if i > 0 {
				p.WriteString(".*")
			}
			p.WriteString(regexp.QuoteMeta(part))
		}
		p.WriteString(` *\n`)
	}
	p.WriteString(`\n*\z`)
	return regexp.MustCompile(p.String())
}

// A server is a gateway on free ports, in a folder of its own that has rules (the quickstart's) and examples.
type server struct {
	Callbacks, Admin string
	dir              string
	log              *bytes.Buffer // JSON; complete after stop
	cmd              *exec.Cmd
	stop             func()
}

func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), log: new(bytes.Buffer)}
	if err := os.CopyFS(filepath.Join(s.dir, "rules"), os.DirFS("../examples/quickstart")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(s.dir, "examples"), os.DirFS("../examples")); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(callboard(t), append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--ready-file", "ready.json", "--drain-delay", "0s", "--log-format", "json"}, flags...)...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = s.dir, environment(t), s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(ended) }()
	s.stop = sync.OnceFunc(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	t.Cleanup(s.stop)
	s.waitUntilReady(t, ended)
	return s
}

func (s *server) waitUntilReady(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(filepath.Join(s.dir, "ready.json"))
		if err == nil && json.Unmarshal(text, s) == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("callboard serve ended:\n%s", s.log)
		}
	}
}

// address puts the server's addresses in place of those that the manual shows.
func (s *server) address(text string) string {
	return strings.NewReplacer("127.0.0.1:8080", s.Callbacks, "127.0.0.1:8081", s.Admin).Replace(text)
}
