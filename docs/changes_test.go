package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"callboard/internal/compare"
)

// A job is the commands of a CI job, in order.
type job []string

func githubJob(t *testing.T) job {
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct{ Run string }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "../examples/ci/github.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	var commands job
	for _, step := range workflow.Jobs["rules"].Steps {
		if step.Run != "" {
			commands = append(commands, step.Run)
		}
	}
	return commands
}

func gitlabJob(t *testing.T) job {
	var jobs map[string]struct{ Script []string }
	if err := yaml.Unmarshal([]byte(read(t, "../examples/ci/gitlab.yml")), &jobs); err != nil {
		t.Fatal(err)
	}
	return jobs["rules"].Script
}

// play runs the job as CI does: each command in the repository, until one fails. It returns that one and what was printed.
func (j job) play(t *testing.T, dir string, env []string) (failed string, output string) {
	for _, command := range j {
		cmd := exec.Command("sh", "-e", "-c", command)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		output += string(out)
		if err != nil {
			return command, output
		}
	}
	return "", output
}

// TestJobsOfCI plays the examples on a repository whose branch changes the rules that a gateway serves.
func TestJobsOfCI(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git on this machine")
	}
	s := startServer(t)
	send := exec.Command(callboard(t), "send", "--url", "http://"+s.Callbacks, "--command", "beforeSendGroupMsg", "--set", "groupID=lobby")
	if out, err := send.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, commands := range map[string]job{"github": githubJob(t), "gitlab": gitlabJob(t)} {
		if len(commands) < 5 {
			t.Fatalf("the job of %s has %d commands", name, len(commands))
		}
		for _, change := range []struct{ name, old, new, fails, says string }{
			{"nothing that matters", "# Try it:", "# Try this:", "", ""},
			{"a refusal more", `groupID == "announcements"`, `groupID in ["announcements", "lobby"]`, "--fail-on", "would newly be refused"},
			{"what a test forbids", `"admin1", `, "", "callboard test", ""},
			{"a mistake", "groupID ==", "grupID ==", "callboard check", "unknown name grupID"},
		} {
			t.Run(name+"/"+change.name, func(t *testing.T) {
				repository, env := branch(t, change.old, change.new)
				env = append(env, "CALLBOARD_ADMIN="+s.Admin)
				failed, output := commands.play(t, repository, env)
				if (failed == "") != (change.fails == "") || !strings.Contains(failed, change.fails) || !strings.Contains(output, change.says) {
					t.Errorf("it ended with %q:\n%s", failed, output)
				}
			})
		}
	}
}

// branch makes a repository with the quickstart's rules and a change of announcements.yaml that is not merged. It returns the
// environment of a job there, too.
func branch(t *testing.T, old, new string) (dir string, env []string) {
	dir = filepath.Join(t.TempDir(), "repository")
	if err := os.CopyFS(filepath.Join(dir, "rules"), os.DirFS("../examples/quickstart")); err != nil {
		t.Fatal(err)
	}
	env = environment(t, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
		"GITHUB_BASE_REF=main", "GITHUB_STEP_SUMMARY="+filepath.Join(t.TempDir(), "summary.md"), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main")
	setUp := job{"git init -q", "git add . && git commit -qm rules", "git update-ref refs/remotes/origin/main HEAD"}
	if failed, output := setUp.play(t, dir, env); failed != "" {
		t.Fatalf("%s: %s", failed, output)
	}
	file := filepath.Join(dir, "rules", "announcements.yaml")
	changed := strings.ReplaceAll(read(t, file), old, new)
	write(t, file, changed)
	return dir, env
}

// Blocks of language "console candidate" have a gateway beside them that serves the folder rules and compares a candidate, which
// refuses messages in the lobby.
func TestCommandsBesideACandidateRun(t *testing.T) {
	for _, b := range blocks(t, "console candidate") {
		candidate := filepath.Join(t.TempDir(), "candidate")
		if err := os.CopyFS(candidate, os.DirFS("../examples/quickstart")); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(candidate, "announcements.yaml")
		write(t, file, strings.ReplaceAll(read(t, file), `groupID == "announcements"`, `groupID in ["announcements", "lobby"]`))
		s := startServer(t, "--shadow", candidate)
		session{t: t, dir: s.dir, env: environment(t, "CALLBOARD_ADMIN="+s.Admin), server: s}.play(b)
	}
}

// The kinds of differences are those that diff and the API tell.
func TestKindsOfDifferences(t *testing.T) {
	var want []string
	for _, kind := range compare.Kinds() {
		want = append(want, kind.String())
	}
	same(t, "kinds of differences", want, column(t, "changes.md", "## Before a merge", "kind | a callback differs so"))

	for _, kind := range append(want, "uncertain") {
		cmd := exec.Command(callboard(t), "diff", "--fail-on", kind, "--since", "1h", "--candidate", "../examples/quickstart", "--admin", "127.0.0.1:1")
		if out, _ := cmd.CombinedOutput(); strings.Contains(string(out), "must be one of") {
			t.Errorf("--fail-on does not take %s: %s", kind, out)
		}
	}
}
