package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// A cli is the whole command line.
type cli struct {
	Serve serveCmd `cmd:"" group:"run" help:"Answer IMServer's callbacks."`
	Demo  demoCmd  `cmd:"" group:"run" help:"Show the gateway at work, with sinks and an IMServer of its own."`

	Check   checkCmd   `cmd:"" group:"rules" help:"Check rules folders and report everything that is wrong."`
	Explain explainCmd `cmd:"" group:"rules" help:"Tell what the rules make of a callback, and why. Asks nobody."`
	Test    testCmd    `cmd:"" group:"rules" help:"Run the tests beside the rules, and tell what they leave out."`
	Diff    diffCmd    `cmd:"" group:"rules" help:"Tell which recorded callbacks would end differently with other rules."`
	Schema  schemaCmd  `cmd:"" group:"rules" help:"Print the JSON Schema of rules files or their tests, for editors."`

	Send     sendCmd     `cmd:"" group:"protocol" help:"Post a sample callback as IMServer does and read the reply as it does."`
	Commands commandsCmd `cmd:"" group:"protocol" help:"List IMServer's callback commands, or describe one."`

	Deliveries deliveriesCmd `cmd:"" group:"operate" help:"See, retry and discard what waits."`
	Sinks      sinksCmd      `cmd:"" group:"operate" help:"See, pause and resume sinks."`
	Callbacks  callbacksCmd  `cmd:"" group:"operate" help:"Look into the journal of callbacks."`
	Rules      rulesCmd      `cmd:"" group:"operate" help:"See, promote and discard the candidate that serve --shadow compares."`
	Replay     replayCmd     `cmd:"" group:"operate" help:"Send recorded callbacks again through the rules."`

	Health     healthCmd     `cmd:"" group:"other" help:"Ask a running gateway whether it is well."`
	Version    versionCmd    `cmd:"" group:"other" help:"Print the version."`
	Completion completionCmd `cmd:"" group:"other" help:"Print a completion script for a shell."`
	Help       helpCmd       `cmd:"" group:"other" help:"Print help on a command, or on exit codes."`
}

// An app is what a command sees of the world. Kong hands it to each Run.
type app struct {
	ctx       context.Context // ends on SIGINT or SIGTERM
	stdin     io.Reader
	stdout    io.Writer // results
	stderr    io.Writer // everything else
	lookupEnv func(string) (string, bool)
}

const description = `Callboard is the one URL that IMServer (OpenIM) calls: it routes each callback by rules, asks the
services that must be asked, and answers in time.

` + exitCodesHelp

// run parses a command line and runs its command.
func (a *app) run(args []string) exitCode {
	if len(args) == 0 {
		a.stdout = a.stderr // help that was not asked for is no result
		a.run([]string{"--help"})
		return exitUsage
	}
	results := &resultWriter{w: a.stdout}
	a.stdout = results
	helped := false
	parser := a.parser(func(int) { helped = true })
	ctx, err := parser.Parse(args)
	if helped {
		return exitOK
	}
	if err != nil {
		return a.reportUsage(err)
	}
	if err = ctx.Run(); err == nil {
		err = results.err
	}
	return report(a.stderr, ctx.Selected().FullPath(), err)
}

// A resultWriter remembers that results did not get where they should, so that no command that merely prints has to.
type resultWriter struct {
	w   io.Writer
	err error // the first one
}

// Write writes.
func (r *resultWriter) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("writing the results: %w", err)
	}
	return n, err
}

// parser makes the parser of the whole command line. exit is called when help was printed.
func (a *app) parser(exit func(int)) *kong.Kong {
	k := kong.Must(&cli{},
		kong.Name("callboard"),
		kong.Description(description),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(exit),
		kong.Bind(a),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "run", Title: "Run:"},
			{Key: "rules", Title: "Rules:"},
			{Key: "protocol", Title: "Protocol:"},
			{Key: "operate", Title: "Operate a running gateway:"},
			{Key: "other", Title: "Other:"},
		}),
		kong.ValueFormatter(helpOf),
		kong.Resolvers(envResolver{a.lookupEnv}),
	)
	finishFlags(k.Model.Node)
	return k
}

// reportUsage prints what is wrong with the command line.
func (a *app) reportUsage(err error) exitCode {
	name, message := "callboard", err.Error()
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil && parse.Context.Selected() != nil {
		selected := parse.Context.Selected()
		name = selected.FullPath()
		message = strings.TrimPrefix(message, selected.Name+": ") // what Validate finds: report begins with the command
	}
	return report(a.stderr, name, usageError(fmt.Sprintf("see %s --help", name), "%s", message))
}

// finishFlags gives flags without a placeholder one that says what they take, and keeps Kong from
// reading the process's environment behind lookupEnv's back; Flag.Envs still holds the names for envResolver.
func finishFlags(n *kong.Node) {
	for _, flag := range n.Flags {
		flag.Tag.Envs = nil
		switch {
		case flag.PlaceHolder != "":
		case flag.Enum != "":
			flag.PlaceHolder = strings.Join(flag.EnumSlice(), "|")
		case flag.Target.Type() == reflect.TypeFor[time.Duration]():
			flag.PlaceHolder = "DURATION"
		}
	}
	for _, child := range n.Children {
		finishFlags(child)
	}
}

// helpOf is the help of a flag or an argument with its default and its environment twin.
func helpOf(v *kong.Value) string {
	help := v.Help
	if v.HasDefault {
		help += " Default: " + v.Default + "."
	}
	if v.Flag != nil && len(v.Flag.Envs) > 0 {
		help = strings.TrimSuffix(help, ".") + " ($" + strings.Join(v.Flag.Envs, ", $") + ")."
	}
	return help
}

// An envResolver gives flags that are not on the command line the value of their environment
// twin. An empty variable counts as unset, as compose files and charts leave them.
type envResolver struct {
	lookup func(string) (string, bool)
}

// Validate accepts every application.
func (envResolver) Validate(*kong.Application) error { return nil }

// Resolve returns the variable's text, or an error that names the variable.
func (e envResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		text, _ := e.lookup(name)
		if text == "" {
			continue
		}
		if flag.Enum != "" && !slices.Contains(flag.EnumSlice(), text) {
			return nil, fmt.Errorf("must be one of %s but the environment variable %s says %q", flag.Enum, name, text)
		}
		try := reflect.New(flag.Target.Type()).Elem()
		scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
		if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, try); err != nil {
			return nil, fmt.Errorf("%w (from the environment variable %s)", err, name)
		}
		return text, nil
	}
	return nil, nil
}
