package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// An exitCode is what the process tells its caller.
type exitCode int

const (
	exitOK       exitCode = 0 // all is well; IMServer would proceed
	exitFindings exitCode = 1 // the command worked and what it looked at is wrong: errors in rules, a refusal, not healthy, nothing to retry
	exitUsage    exitCode = 2 // the command line is wrong
	exitFailed   exitCode = 3 // the command could not do its work: a port, a file, the network
)

// exitCodesHelp is what help says about the codes above.
const exitCodesHelp = `Exit codes:

	0  all is well; of send: IMServer would proceed
	1  what was looked at is wrong: errors in rules (check), a failed test (test),
	   callbacks that would end differently (diff), a refusal (send),
	   an unexpected verdict (demo --once), not healthy (health),
	   ids with nothing to do about (deliveries retry, discard)
	2  the command line is wrong
	3  the command could not do its work: a taken port, a missing file, no answer,
	   a gateway without data folder, an id that nobody knows
`

// A failure is an error that knows its exit code and what would help.
type failure struct {
	code exitCode
	err  error  // nil: what is wrong has been printed already
	hint string // what would be right, or ""
}

// Error returns the error's text without the hint.
func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

// Unwrap returns the error.
func (f *failure) Unwrap() error { return f.err }

// errFindings ends a command with exitFindings after it has printed what it found.
var errFindings = &failure{code: exitFindings}

// usageError is a wrong command line.
func usageError(hint, format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// hinted adds to an error what would help.
func hinted(err error, hint string) error {
	return &failure{code: exitFailed, err: err, hint: hint}
}

// report prints what a command ended with to w and returns its exit code. Errors that say nothing of
// a code are exitFailed.
func report(w io.Writer, name string, err error) exitCode {
	if err == nil {
		return exitOK
	}
	f := &failure{code: exitFailed, err: err}
	if found, ok := errors.AsType[*failure](err); ok {
		f = &failure{code: found.code, err: err, hint: found.hint}
		if found.err == nil {
			return found.code
		}
	}
	fmt.Fprintf(w, "%s: %s\n", name, strings.ReplaceAll(f.err.Error(), "\n", "; ")) // joined errors
	if f.hint != "" {
		fmt.Fprintf(w, "hint: %s\n", f.hint)
	}
	return f.code
}
