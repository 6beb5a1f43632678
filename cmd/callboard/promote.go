package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"callboard/internal/console"
)

// A rulesPromoteCmd tells how the candidate becomes what serves.
type rulesPromoteCmd struct {
	Base      string `completion:"file" placeholder:"DIR" help:"The folder that serves, as this machine has it. Default: where the gateway says it is."`
	Candidate string `completion:"file" placeholder:"DIR" help:"The candidate's folder. Default: where the gateway says it is."`
	Current   string `completion:"file" placeholder:"LINK" help:"Have this symbolic link lead to the candidate, at once; serve follows it. Without it nothing is written anywhere."`
	Patch     bool   `help:"Print only the changes, for git apply in the folder that serves."`
	Force     bool   `help:"Promote also a candidate that has errors, was rolled back or discarded, or that the gateway does not know, and swap a link that it does not go through."`
	adminFlags
}

// Help shows an example.
func (rulesPromoteCmd) Help() string {
	return `Prints which files differ, the commands that bring them to the folder that serves, and the changes as a patch. Files there are
never written: commit them where they come from. Where the folder that serves is a symbolic link, --current swaps the link.

Example:

	$ callboard rules promote
	$ callboard rules promote --patch > candidate.patch
	$ callboard rules promote --candidate releases/42 --current /etc/callboard/rules
`
}

// Run promotes.
func (c rulesPromoteCmd) Run(a *app) error {
	s, err := c.status(a)
	if err != nil {
		return err
	}
	if s != nil {
		if err := c.isOf(s); err != nil && !c.Force {
			return err
		}
		c.Base, c.Candidate = cmp.Or(c.Base, s.ServingDir), cmp.Or(c.Candidate, s.Dir)
	}
	if c.Current != "" {
		c.Base = cmp.Or(c.Base, c.Current)
	}
	if c.Base == "" || c.Candidate == "" {
		return usageError("or ask a gateway that has a candidate", "without a gateway, give --base and --candidate")
	}
	changes, err := changedFiles(c.Base, c.Candidate)
	if err != nil {
		return err
	}
	if c.Current != "" {
		return c.swap(a, len(changes))
	}
	if c.Patch {
		return writePatch(a.stdout, changes)
	}
	return c.tell(a.stdout, s, changes)
}

// status asks the gateway, and refuses a candidate that is not fit. With --force it is nil where no gateway tells.
func (c rulesPromoteCmd) status(a *app) (*console.Candidate, error) {
	var s console.Candidate
	if err := c.get(a.ctx, "/api/shadow", nil, &s); err != nil {
		if c.Force && !errors.Is(err, errInterrupted) {
			return nil, nil
		}
		return nil, err
	}
	wrong := ""
	switch {
	case !s.Current:
		wrong = "the candidate's folder cannot be used: " + cmp.Or(s.Why, "it has errors")
	case s.State == "rolled_back":
		wrong = "the candidate was rolled back: " + s.Why
	case s.State != "watching" && s.State != "canary":
		wrong = "the candidate is " + s.State
	}
	if wrong != "" && !c.Force {
		return nil, &failure{code: exitFindings, err: errors.New(wrong), hint: "correct it, or give --force"}
	}
	return &s, nil
}

// tell prints what to commit.
func (c rulesPromoteCmd) tell(w io.Writer, s *console.Candidate, changes []fileChange) error {
	if s != nil {
		fmt.Fprintf(w, "candidate %s was compared with %s: %s, %d end differently\n\n",
			orDash(s.Revision), orDash(s.ServingRevision), plural(s.Callbacks, "callback"), s.Different)
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintf(w, "%s and %s have the same files: nothing to commit\n", c.Base, c.Candidate)
		return err
	}
	fmt.Fprintf(w, "To have it serve, commit these changes of %s where it comes from:\n\n", c.Base)
	for _, f := range changes {
		to := shellWord(filepath.Join(c.Base, f.name))
		if f.candidate == nil {
			fmt.Fprintf(w, "  rm %s\n", to)
			continue
		}
		if dir := filepath.Dir(f.name); f.base == nil && dir != "." {
			fmt.Fprintf(w, "  mkdir -p %s\n", shellWord(filepath.Join(c.Base, dir)))
		}
		fmt.Fprintf(w, "  cp %s %s\n", shellWord(filepath.Join(c.Candidate, f.name)), to)
	}
	fmt.Fprintln(w)
	return writePatch(w, changes)
}

// shellWord quotes a path where a shell would take it apart.
func shellWord(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// sortedNames returns the names that either map has.
func sortedNames(a, b map[string][]byte) []string {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
