// Command callboard routes IMServer's callbacks by rules.
//
// main turns signals into a context and an exit code into an exit; run does the rest. Each
// subcommand is a struct in the file of its name: its fields are its flags, its Run does its work.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // so that hourIn knows time zones in an image that has no such files
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(int(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)))
}

// run runs one command line and says what to exit with. Results go to stdout, everything else to
// stderr. It reads the environment through lookupEnv only.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, lookupEnv func(string) (string, bool)) exitCode {
	a := &app{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, lookupEnv: lookupEnv}
	return a.run(args)
}
