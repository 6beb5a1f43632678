package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"callboard/internal/diag"
	"callboard/rules"
)

// placeholders stand in for what references in rules files cannot be resolved to on this machine,
// so that everything else can be checked.
type placeholders struct {
	files    []rules.File
	lookup   func(string) (string, bool)
	read     func(string) ([]byte, error)
	replaced []string // references that were asked for and are not set: env:NAME, file:/path
}

func newPlaceholders(files []rules.File, lookup func(string) (string, bool), read func(string) ([]byte, error)) *placeholders {
	return &placeholders{files: files, lookup: lookup, read: read}
}

// lookupEnv is rules.Options.LookupEnv. An empty variable counts as unset, as CI leaves absent
// secrets. One that has a default wherever it stands needs no placeholder.
func (p *placeholders) lookupEnv(name string) (string, bool) {
	value, set := p.lookup(name)
	if value != "" || !p.stands("${env:"+name+"}") {
		return value, set
	}
	return p.replace("env:" + name), true
}

// stands reports whether any file has the text.
func (p *placeholders) stands(text string) bool {
	return slices.ContainsFunc(p.files, func(f rules.File) bool { return bytes.Contains(f.Data, []byte(text)) })
}

// readFile is rules.Options.ReadFile.
func (p *placeholders) readFile(path string) ([]byte, error) {
	if data, err := p.read(path); err == nil {
		return data, nil
	}
	return []byte(p.replace("file:" + path)), nil
}

// What a reference stands for shows in what is before it on its line.
var (
	onlyValueOf = regexp.MustCompile(`(\w+)["']?:\s*["']?$`) // url: ${env:X}
	urlPort     = regexp.MustCompile(`://[^/\s]*:$`)         // http://host:${env:X}
)

// placeholderFor has a value that passes for each key that does not take any word.
var placeholderFor = map[string]string{
	"url": "http://placeholder.invalid", "timeout": "1s", "deadline": "1s", "backoff": "1s", "max_backoff": "1s", "hedge": "1s",
	"attempts": "1", "concurrency": "1", "priority": "1", "code": "20001", "max_answer": "1MiB", "stop": "false", "linger": "false",
	"for": "1h", "rate": "1/s", "stuck_limit": "1000", "failures": "5", "delay": "1s", "max_delay": "1m",
	"ttl": "1s", "stale_on_failure": "1m", "max": "100", "wait": "1s", "bytes": "1MiB", "when": "true", "window": "1m",
	"success": "status", "on_failure": "allow", "on_error": "skip",
}

// replace notes a reference and returns a value that fits where it stands.
func (p *placeholders) replace(reference string) string {
	if !slices.Contains(p.replaced, reference) {
		p.replaced = append(p.replaced, reference)
	}
	for _, f := range p.files {
		for _, line := range strings.Split(string(f.Data), "\n") {
			before, _, found := strings.Cut(line, "${"+reference+"}")
			if !found {
				continue
			}
			if key := onlyValueOf.FindStringSubmatch(before); key != nil && placeholderFor[key[1]] != "" {
				return placeholderFor[key[1]]
			}
			if urlPort.MatchString(before) {
				return "80"
			}
		}
	}
	// Long enough for a secret, and not the same for two references, such as those of secrets that follow each other.
	return fmt.Sprintf("placeholder%08x", crc32.ChecksumIEEE([]byte(reference)))
}

// warnings tells which references were replaced, at each place where they stand, in file order.
func (p *placeholders) warnings() []diag.Diagnostic {
	var ds []diag.Diagnostic
	slices.Sort(p.replaced) // files are read in any order
	for _, f := range p.files {
		for n, line := range strings.Split(string(f.Data), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			for _, reference := range p.replaced {
				before, _, found := strings.Cut(line, "${"+reference+"}")
				if !found {
					continue
				}
				col := utf8.RuneCountInString(before) + 1
				ds = append(ds, diag.Diagnostic{
					Severity: diag.Warning, ID: "unset-reference", File: f.Name,
					Line: n + 1, Col: col, EndCol: col + utf8.RuneCountInString("${"+reference+"}"),
					Message: fmt.Sprintf("%s is not set here, a placeholder was checked instead", reference),
				}) // no Source: the line may hold secrets
			}
		}
	}
	return ds
}
