package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"callboard/internal/console"
)

// isOf refuses folders that are not those of the gateway: what it says of its candidate is not said of them. Where the gateway's
// are not on this machine, nobody can tell.
func (c rulesPromoteCmd) isOf(s *console.Candidate) error {
	if c.Candidate != "" && elsewhere(c.Candidate, s.Dir) {
		return &failure{code: exitFindings, err: fmt.Errorf("the gateway's candidate is %s, and nothing is known of %s", s.Dir, c.Candidate),
			hint: "have serve --shadow compare it first, or give --force"}
	}
	if c.Current != "" && elsewhere(c.Current, s.ServingDir) {
		return &failure{code: exitFindings, err: fmt.Errorf("%s does not lead to what serves, %s", c.Current, s.ServingDir),
			hint: "give the symbolic link that serve --rules names, or --force"}
	}
	return nil
}

// elsewhere reports whether a path leads to another folder than one that is here.
func elsewhere(dir, here string) bool {
	there, err := os.Stat(here)
	if err != nil {
		return false
	}
	info, err := os.Stat(dir)
	return err != nil || !os.SameFile(info, there)
}

// swap has the link lead to the candidate: to the folder itself, since a link to it may soon lead to the next candidate.
func (c rulesPromoteCmd) swap(a *app, changes int) error {
	link, err := filepath.Abs(c.Current) // without a slash at its end, which would follow it
	if err != nil {
		return fmt.Errorf("reading --current: %w", err)
	}
	was, err := os.Readlink(link)
	if err != nil {
		return hinted(fmt.Errorf("reading --current: %w", err), "--current names the symbolic link that serve --rules goes through")
	}
	to, err := filepath.Abs(c.Candidate)
	if err == nil {
		to, err = filepath.EvalSymlinks(to)
	}
	if err != nil {
		return fmt.Errorf("reading --candidate: %w", err)
	}
	if now, err := filepath.EvalSymlinks(link); err == nil && now == to {
		fmt.Fprintf(a.stdout, "%s leads to %s already\n", c.Current, was)
		return nil
	}
	if !filepath.IsAbs(was) {
		folder, err := filepath.EvalSymlinks(filepath.Dir(link)) // relative links are followed from there
		if err == nil {
			to, err = filepath.Rel(folder, to)
		}
		if err != nil {
			return fmt.Errorf("reading --candidate: %w", err)
		}
	}
	if err := swapLink(link, to); err != nil {
		return fmt.Errorf("swapping %s: %w", c.Current, err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s leads to %s now, before to %s (%s changed); serve follows it by itself\n", c.Current, to, was, plural(changes, "file"))
	return err
}

// swapLink replaces a symbolic link in one step: whoever looks finds the old or the new one.
func swapLink(link, to string) error {
	next := fmt.Sprintf("%s.%d.next", link, os.Getpid()) // its own: one that was killed may have left another
	if err := os.Symlink(to, next); err != nil {
		return err
	}
	if err := os.Rename(next, link); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}
