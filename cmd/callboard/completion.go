package main

import (
	"embed"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"

	"callboard/openim"
)

// A completionCmd prints a completion script.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell."`
}

// Help shows an example.
func (completionCmd) Help() string {
	return `Example:

	$ callboard completion bash > /etc/bash_completion.d/callboard
	$ callboard completion zsh > "${fpath[1]}/_callboard"
	$ callboard completion fish > ~/.config/fish/completions/callboard.fish
`
}

//go:embed completion/*.tmpl
var completionFiles embed.FS

// completionScripts are filled from Kong's model, so that scripts know every command and flag.
var completionScripts = template.Must(template.New("").Funcs(template.FuncMap{
	"quote":     quoteForShell,
	"bracketed": func(s string) string { return strings.NewReplacer("[", "(", "]", ")", ":", ",").Replace(s) },
	"join":      strings.Join,
	"seen":      seenForFish,
}).ParseFS(completionFiles, "completion/*.tmpl"))

// Run prints the script.
func (c completionCmd) Run(a *app, k *kong.Kong) error {
	return writeCompletion(a.stdout, c.Shell, k.Model)
}

func writeCompletion(w io.Writer, shell string, model *kong.Application) error {
	if err := completionScripts.ExecuteTemplate(w, shell+".tmpl", completionsOf(model)); err != nil {
		return fmt.Errorf("writing the completion script: %w", err)
	}
	return nil
}

// A completedCommand is what scripts offer after one command.
type completedCommand struct {
	Name, Help string
	Path       string             // the names from the top on: deliveries list
	Commands   []completedCommand // below it; then it has neither flags nor words
	Flags      []completedFlag
	Words      []string // of its argument
	Files      bool     // its argument is a file
}

// A completedFlag is a flag as scripts offer it.
type completedFlag struct {
	Name, Help string
	Short      string
	HasValue   bool
	Words      []string // its values, when they are a closed set
	Files      bool     // its value is a file or folder
}

// completionsOf reads commands and flags off the model.
func completionsOf(model *kong.Application) []completedCommand {
	topics := []string{"exit-codes"}
	for _, node := range model.Children {
		topics = append(topics, node.Name)
	}
	return completionsBelow(model.Node, "", topics)
}

func completionsBelow(parent *kong.Node, path string, topics []string) []completedCommand {
	var all []completedCommand
	for _, node := range parent.Children {
		c := completedCommand{Name: node.Name, Help: firstSentence(node.Help), Path: strings.TrimSpace(path + " " + node.Name)}
		c.Commands = completionsBelow(node, c.Path, topics)
		if len(c.Commands) == 0 {
			c.offer(node, topics)
		}
		all = append(all, c)
	}
	return all
}

// offer fills in what a command that does something takes.
func (c *completedCommand) offer(node *kong.Node, topics []string) {
	for _, flags := range node.AllFlags(true) {
		for _, f := range flags {
			c.Flags = append(c.Flags, completionOf(f))
		}
	}
	for _, arg := range node.Positional {
		c.Words = append(c.Words, wordsOf(arg)...)
		if arg.Tag.Get("completion") == "topic" {
			c.Words = topics
		}
		c.Files = c.Files || takesFile(arg)
	}
}

func completionOf(f *kong.Flag) completedFlag {
	c := completedFlag{Name: f.Name, Help: firstSentence(f.Help), HasValue: !f.IsBool(), Words: wordsOf(f.Value), Files: takesFile(f.Value)}
	if f.Short != 0 {
		c.Short = string(f.Short)
	}
	return c
}

// wordsOf are the values that an argument or a flag can have, nil when they are open. The tag
// completion says what Kong does not know.
func wordsOf(v *kong.Value) []string {
	if v.Enum != "" {
		return v.EnumSlice()
	}
	switch v.Tag.Get("completion") {
	case "command":
	case "verdict":
		return []string{"allow", "refuse", "trouble"}
	default:
		return nil
	}
	var names []string
	for _, c := range openim.Commands() {
		names = append(names, c.Short)
	}
	return names
}

// takesFile says whether a value is a path.
func takesFile(v *kong.Value) bool { return v.Tag.Get("completion") == "file" }

func firstSentence(help string) string {
	if sentence, _, ok := strings.Cut(help, ". "); ok {
		return sentence
	}
	return strings.TrimSuffix(help, ".")
}

// seenForFish is the condition that a command line has all words of a command.
func seenForFish(path string) string {
	var seen []string
	for _, word := range strings.Fields(path) {
		seen = append(seen, "__fish_seen_subcommand_from "+word)
	}
	return "'" + strings.Join(seen, "; and ") + "'"
}

// quoteForShell quotes a text for all three shells: single quotes, none inside.
func quoteForShell(s string) string {
	return "'" + strings.NewReplacer("'", "’", `\`, "").Replace(s) + "'"
}
