package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A party is a process that takes part.
type party struct {
	cmd   *exec.Cmd
	url   string
	admin string // Callboard's admin listener
}

func (p *party) stop() {
	p.cmd.Process.Kill()
	p.cmd.Wait() // killed: its error is no news
}

// startRole starts this very program as a sink or as the bare forwarder.
func startRole(name string, args ...string) (*party, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &party{cmd: exec.Command(self, append([]string{name}, args...)...)}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.url = strings.TrimSpace(line)
	return p, nil
}

// build compiles Callboard.
func build(dir string) (string, error) {
	binary := filepath.Join(dir, "callboard")
	out, err := exec.Command("go", "build", "-o", binary, "./cmd/callboard").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building callboard: %w\n%s", err, out)
	}
	return binary, nil
}

// startGateway starts Callboard with default settings but for args. Its log lines are written, to nowhere.
func (b *bench) startGateway(rules string, args ...string) (*party, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &party{
		cmd: exec.Command(b.binary, append([]string{"serve", "--rules", rules, "--listen", listen, "--admin", admin}, args...)...),
		url: "http://" + listen, admin: "http://" + admin,
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 6000 {
		resp, err := http.Get(p.admin + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.stop()
	return nil, errors.New("callboard did not become ready within 30 s")
}

// writeRules writes a rules file of its own and returns its path.
func (b *bench) writeRules(dir, name string, rules []byte) (string, error) {
	path := filepath.Join(dir, name+".yaml")
	return path, os.WriteFile(path, rules, 0o644)
}

const ruleHead = `rules:
  - name: bench
    callbacks: [afterSendGroupMsg]
    when: groupID != "" && contentType in [Text, AtText]
`

// awaitRules have one rule that awaits all sinks.
func awaitRules(sinks []string) []byte {
	names, text := sinksText(sinks, "")
	return []byte(text + ruleHead + "    await: {sinks: [" + names + "], policy: all}\n")
}

// notifyRules have one rule that notifies all sinks, with settings of theirs.
func notifyRules(sinks []string, settings string) []byte {
	names, text := sinksText(sinks, settings)
	return []byte(text + ruleHead + "    notify: [" + names + "]\n")
}

func sinksText(sinks []string, settings string) (names, text string) {
	text = "sinks:\n"
	for i, url := range sinks {
		if i > 0 {
			names += ", "
		}
		names += "sink" + strconv.Itoa(i)
		text += fmt.Sprintf("  sink%d:\n    url: %s\n%s", i, url, settings)
	}
	return names, text
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// cpu returns the CPU time that the process has taken, user and system, all threads.
func (p *party) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses; utime and stime are the 14th and 15th.
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, errors.New("reading /proc/PID/stat: too few fields")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// memory returns resident and peak resident memory in MiB.
func (p *party) memory() (rss, peak float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmRSS:":
			rss = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return rss, peak, nil
}
