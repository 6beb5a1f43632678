package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"callboard/internal/diag"
	"callboard/openim"
)

// A commandsCmd prints the catalogue of callback commands.
type commandsCmd struct {
	Name   string `arg:"" optional:"" completion:"command" help:"A command in any of its spellings: beforeSendGroupMsg, callbackBeforeSendGroupMsgCommand."`
	Format string `default:"text" enum:"text,json,markdown" help:"How to print."`
}

// Help shows an example.
func (commandsCmd) Help() string {
	return `With a name: the fields that rules can use, the fields that a reply may carry, and what surprises people.

Example:

	$ callboard commands
	$ callboard commands beforeMsgModify
	$ callboard commands --format markdown > docs/commands.md
`
}

// Run prints all commands, or the one named.
func (c commandsCmd) Run(a *app) error {
	commands := openim.Commands()
	if c.Name != "" {
		command, err := lookupCommand(c.Name)
		if err != nil {
			return err
		}
		commands = []*openim.Command{command}
	}
	switch {
	case c.Format == "json":
		return writeCommandsJSON(a.stdout, commands)
	case c.Format == "markdown" && c.Name == "":
		return writeCommandsMarkdown(a.stdout, commands)
	case c.Format == "markdown":
		writeCommandMarkdown(a.stdout, commands[0])
		return nil
	case c.Name != "":
		return writeCommandText(a.stdout, commands[0])
	}
	return writeCommandList(a.stdout, commands)
}

// lookupCommand finds a command, or says which one was probably meant.
func lookupCommand(name string) (*openim.Command, error) {
	if command, ok := openim.Lookup(name); ok {
		return command, nil
	}
	hint := "callboard commands lists them"
	if near := diag.Nearest(name, commandNames()); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	return nil, usageError(hint, "unknown command %q", name)
}

// commandNames are all names that commands have, the ones that people type first.
func commandNames() []string {
	var names []string
	for _, c := range openim.Commands() {
		names = append(names, c.Short)
	}
	for _, c := range openim.Commands() {
		names = append(append(names, c.Name), c.Older...)
	}
	return names
}

// writeCommandList prints a line a command.
func writeCommandList(w io.Writer, commands []*openim.Command) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COMMAND\tPHASE\tSINCE\tREPLY FIELDS\tWIRE NAME")
	for _, c := range commands {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", c.Short, c.Phase, c.Since, replyNames(c), c.Name)
	}
	return t.Flush()
}

// replyNames are the reply fields that have an effect, cut to what fits a table.
func replyNames(c *openim.Command) string {
	var names []string
	for _, f := range c.Reply {
		if f.Effect != openim.Ignored {
			names = append(names, f.Name)
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:2], ", "), len(names)-2)
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ", ")
}

// writeCommandText prints everything known of one command.
func writeCommandText(w io.Writer, c *openim.Command) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\n\n", c.Short)
	fmt.Fprintf(t, "wire name\t%s\n", c.Name)
	if len(c.Older) > 0 {
		fmt.Fprintf(t, "older names\t%s\n", strings.Join(c.Older, ", "))
	}
	fmt.Fprintf(t, "phase\t%s\n", phaseText(c.Phase))
	fmt.Fprintf(t, "since\t%s\n", c.Since)
	fmt.Fprintf(t, "webhooks.yml\t%s\n", c.Short)
	if err := t.Flush(); err != nil {
		return err
	}

	fmt.Fprintf(w, "\nFields of the callback:\n")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeFieldRows(t, c.Request, 1)
	if err := t.Flush(); err != nil {
		return err
	}
	if len(c.Reply) > 0 {
		fmt.Fprintf(w, "\nFields of the reply:\n")
		t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, f := range c.Reply {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", f.Name, kindText(f.Field), withNote(effectText(f.Effect), f.Note))
			writeFieldRows(t, f.Fields, 2)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if len(c.Notes) > 0 {
		fmt.Fprintf(w, "\nGood to know:\n")
		for _, note := range c.Notes {
			fmt.Fprintf(w, "  - %s\n", note)
		}
	}
	return nil
}

// writeFieldRows prints fields and, below each, its members.
func writeFieldRows(t io.Writer, fields []openim.Field, depth int) {
	for _, f := range fields {
		row := []string{strings.Repeat("  ", depth) + f.Name, kindText(f)}
		if f.Note != "" {
			row = append(row, f.Note)
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
		writeFieldRows(t, f.Fields, depth+1)
	}
}

func phaseText(p openim.Phase) string {
	if p == openim.After {
		return "after: reports what has happened, nothing can be refused"
	}
	return "before: IMServer waits for the reply, which may refuse"
}

// kindText names a field's type as people know it from JSON.
func kindText(f openim.Field) string {
	text := f.Kind.String()
	if f.Kind == openim.Int && f.Bits != 0 {
		text = fmt.Sprintf("%s of %d bits", text, f.Bits)
	}
	if f.Nullable {
		text += ", or null"
	}
	return text
}

func effectText(e openim.Effect) string {
	switch e {
	case openim.IfPresent:
		return "replaces the value unless absent or null"
	case openim.IfNotEmpty:
		return "replaces the value unless empty"
	case openim.Always:
		return "replaces the value even when absent; Callboard echoes the request's"
	case openim.IfCarried:
		return "replaces the value; only where the callback carries the field"
	default:
		return "has no effect; Callboard leaves it out"
	}
}

func withNote(text, note string) string {
	if note == "" {
		return text
	}
	return text + ". " + note
}
