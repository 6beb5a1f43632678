package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"4096": 4096, "1B": 1, "512KiB": 512 << 10, "8MiB": 8 << 20, "1gib": 1 << 30, "2 MB": 2e6, "1kB": 1000, "3GB": 3e9,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "0", "-1", "1.5MiB", "1TiB", "9223372036854775807KiB"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d, want an error", text, got)
		}
	}
}

func TestParseVote(t *testing.T) {
	for text, want := range map[string]openim.Answer{
		"allow":                {Vote: openim.Allow},
		"abstain":              {Vote: openim.Abstain},
		"refuse":               {Vote: openim.Refuse},
		"refuse:20401":         {Vote: openim.Refuse, Code: 20401},
		"refuse:20401:a: b":    {Vote: openim.Refuse, Code: 20401, Message: "a: b"},
		"failed":               {Vote: openim.Failed, Reason: "as --vote says"},
		"failed:out of memory": {Vote: openim.Failed, Reason: "out of memory"},
	} {
		got, err := parseVote(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("parseVote(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "maybe", "allow:1", "abstain:x", "refuse:", "refuse:x", "refuse:99999999999"} {
		if got, err := parseVote(text); err == nil {
			t.Errorf("parseVote(%q) = %+v, want an error", text, got)
		}
	}
}

func TestHealthAddresses(t *testing.T) {
	for admin, want := range map[string]string{
		"127.0.0.1:8081":     "http://127.0.0.1:8081/healthz",
		":8081":              "http://127.0.0.1:8081/healthz",
		"0.0.0.0:8081":       "http://127.0.0.1:8081/healthz",
		"[::]:8081":          "http://127.0.0.1:8081/healthz",
		"gateway:8081":       "http://gateway:8081/healthz",
		"https://gateway/a/": "https://gateway/a/healthz",
	} {
		if got := (healthCmd{Admin: admin}).url(); got != want {
			t.Errorf("%s is asked at %s, want %s", admin, got, want)
		}
	}
}

// runWith runs a command line with an environment of its own.
func runWith(t *testing.T, env map[string]string, args ...string) (code exitCode, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &errOut, func(name string) (string, bool) {
		value, set := env[name]
		return value, set
	})
	return code, out.String(), errOut.String()
}

func TestFlagsGoBeforeTheEnvironmentAndThatBeforeDefaults(t *testing.T) {
	env := map[string]string{"CALLBOARD_OPENIM": "v2"}
	args := []string{"explain", "--rules", "../../examples/quickstart", "testdata/refused.json", "--vote", "moderation=refuse:20401:no"}
	refusals := map[string]string{"v2": `"actionCode":1`, "v3.7": `"actionCode":0`}

	for _, row := range []struct {
		what string
		env  map[string]string
		args []string
		want string
	}{
		{"the default", nil, args, refusals["v3.7"]},
		{"the variable", env, args, refusals["v2"]},
		{"the flag", env, append(args, "--openim", "v3.7"), refusals["v3.7"]},
		{"an empty variable", map[string]string{"CALLBOARD_OPENIM": ""}, args, refusals["v3.7"]},
	} {
		code, stdout, stderr := runWith(t, row.env, row.args...)
		if code != exitOK || !strings.Contains(stdout, row.want) {
			t.Errorf("%s: exit code %d, no %s in\n%s%s", row.what, code, row.want, stdout, stderr)
		}
	}
}

// The process's environment must not count: run has its own.
func TestRunReadsNoEnvironmentButItsOwn(t *testing.T) {
	t.Setenv("CALLBOARD_OPENIM", "v9")
	if code, _, stderr := runWith(t, nil, "version"); code != exitOK {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr := runWith(t, nil, "explain", "nowhere.json"); code != exitFailed {
		t.Errorf("exit code %d, want %d: %s", code, exitFailed, stderr)
	}
}

// Every command's help ends with an example that parses.
func TestHelpExamplesParse(t *testing.T) {
	a := &app{ctx: t.Context(), stdout: new(bytes.Buffer), stderr: new(bytes.Buffer), lookupEnv: func(string) (string, bool) { return "", false }}
	parser := a.parser(func(int) {})
	for _, node := range parser.Model.Leaves(false) {
		examples := 0
		for _, line := range strings.Split(node.Detail, "\n") {
			line, isExample := strings.CutPrefix(strings.TrimSpace(line), "$ ")
			if !isExample {
				continue
			}
			examples++
			for command := range strings.SplitSeq(line, " | ") {
				_, example, _ := strings.Cut(" "+command, " callboard ") // variables may stand before it
				args := shellWords(example)
				if _, err := a.parser(func(int) {}).Parse(args); err != nil {
					t.Errorf("example of %s: %q: %v", node.Name, args, err)
				}
			}
		}
		if examples == 0 {
			t.Errorf("help of %s has no example", node.Name)
		}
	}
}

// shellWords cuts a line of an example as a shell would, as far as examples need it.
func shellWords(line string) []string {
	line, _, _ = strings.Cut(line, " > ")
	line, _, _ = strings.Cut(line, "    #")
	var words []string
	var word strings.Builder
	quote := rune(0)
	for _, r := range line + " " {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && r == ' ':
			if word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return words
}

// A full disk, or a pipe that nobody reads.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestResultsThatCannotBeWrittenAreAFailure(t *testing.T) {
	unset := func(string) (string, bool) { return "", false }
	for _, args := range [][]string{
		{"version"},
		{"schema"},
		{"commands"},
		{"check", "../../examples/quickstart"},
		{"check", "--format", "json", "../../examples/quickstart"},
		{"send", "--command", "beforeSendGroupMsg", "--print"},
		{"explain", "--rules", "../../examples/quickstart", "testdata/refused.json"},
	} {
		if got := run(t.Context(), args, strings.NewReader(""), fullWriter{}, io.Discard, unset); got != exitFailed {
			t.Errorf("callboard %v exits with %d, want %d", args, got, exitFailed)
		}
	}
}
