package rules

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// largestSecret bounds what ${file:…} reads, in bytes.
const largestSecret = 64 << 10

// references resolves ${env:…} and ${file:…} for one rules file. What they stand for is secret: it goes into values,
// and as a hash into the revision, nowhere else.
type references struct {
	secrets *secretSources
	used    []usedReference // in the order met
}

// A usedReference is what a reference stood for.
type usedReference struct {
	ref     string
	sum     [sha256.Size]byte // of ref and value
	problem string
}

// secretSources are where references lead to. What was read stays for one Load, so that all uses agree. It is safe for
// concurrent use.
type secretSources struct {
	lookupEnv func(string) (string, bool)
	readFile  func(string) ([]byte, error)

	mu    sync.Mutex            // held for a whole look-up, so that the functions need not be safe for concurrent use
	files map[string]fileSecret // path → what was read
}

type fileSecret struct {
	text, problem string
}

// A secret is a value that stands in a text, and how the text refers to it.
type secret struct {
	value, reference string
}

// An expansion is a text with its references resolved.
type expansion struct {
	value   string
	pieces  []piece
	secrets []secret
}

// A piece is a stretch of the value that comes from a stretch of the text: both byte by byte, or,
// for what was put in, as a whole.
type piece struct {
	from, textFrom, textTo int
	putIn                  bool
}

// textRange returns the stretch of the text that a stretch of the value comes from.
func (e expansion) textRange(from, to int) (textFrom, textTo int) {
	textFrom, _ = e.textOf(from)
	_, textTo = e.textOf(max(from, to-1))
	return textFrom, textTo
}

func (e expansion) textOf(offset int) (from, to int) {
	for i := len(e.pieces) - 1; i >= 0; i-- {
		p := e.pieces[i]
		if p.from > offset {
			continue
		}
		if p.putIn {
			return p.textFrom, p.textTo
		}
		at := min(p.textFrom+offset-p.from, p.textTo)
		return at, min(at+1, p.textTo)
	}
	return 0, 0
}

var (
	envReference  = regexp.MustCompile(`^env:([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?$`)
	fileReference = regexp.MustCompile(`^file:(/.*)$`)
	bareName      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// expand resolves the references in a scalar. $${ stands for ${ itself.
func (d *decoder) expand(n *node) (expansion, bool) {
	if d.refs == nil { // of tests
		return expansion{value: n.text, pieces: []piece{{textTo: len(n.text)}}}, true
	}
	var e expansion
	var b strings.Builder
	ok := true
	keep := func(from, to int) {
		e.pieces = append(e.pieces, piece{from: b.Len(), textFrom: from, textTo: to})
		b.WriteString(n.text[from:to])
	}
	rest := 0
	for {
		i := strings.Index(n.text[rest:], "${")
		if i < 0 {
			break
		}
		start := rest + i
		if start > rest && n.text[start-1] == '$' {
			keep(rest, start-1)
			keep(start, start+2)
			rest = start + 2
			continue
		}
		keep(rest, start)
		length := strings.IndexByte(n.text[start:], '}')
		if length < 0 {
			d.fail(d.within(n, start, len(n.text)), idReference, "close it with }, or write $${ for ${ itself", "${ is not closed")
			return e, false
		}
		end := start + length + 1
		value, problem, hint := d.refs.lookup(n.text[start+2 : end-1])
		if problem != "" {
			d.fail(d.within(n, start, end), idReference, hint, "%s", problem)
			ok = false
		}
		e.pieces = append(e.pieces, piece{from: b.Len(), textFrom: start, textTo: end, putIn: true})
		e.secrets = append(e.secrets, secret{value, n.text[start:end]})
		b.WriteString(value)
		rest = end
	}
	keep(rest, len(n.text))
	e.value = b.String()
	return e, ok
}

// lookup returns what a reference stands for, or what is wrong with it and what would be right.
func (r *references) lookup(ref string) (value, problem, hint string) {
	value, problem, hint, known := r.secrets.lookup(ref)
	if known {
		r.used = append(r.used, usedReference{ref, sha256.Sum256([]byte(ref + "\x00" + value)), problem})
	}
	return value, problem, hint
}

// unchanged reports whether the references still stand for the same.
func (r *references) unchanged() bool {
	for _, u := range r.used {
		value, problem, _, _ := r.secrets.lookup(u.ref)
		if problem != u.problem || sha256.Sum256([]byte(u.ref+"\x00"+value)) != u.sum {
			return false
		}
	}
	return true
}

// lookup is known for what is a reference, whether or not it stands for anything.
func (r *secretSources) lookup(ref string) (value, problem, hint string, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch env, file := envReference.FindStringSubmatch(ref), fileReference.FindStringSubmatch(ref); {
	case env != nil:
		value, problem, hint = r.env(env[1], env[2] != "", env[3])
	case file != nil:
		value, problem = r.file(file[1])
	case bareName.MatchString(ref):
		return "", "${" + ref + "} is no reference", "did you mean ${env:" + ref + "}?", false
	case strings.HasPrefix(ref, "file:"):
		return "", "the path of a file reference begins with /", "as in ${file:/run/secrets/token}", false
	default:
		return "", "${" + ref + "} is no reference", "write ${env:NAME}, ${env:NAME:-default} or ${file:/path}; $${ stands for ${ itself", false
	}
	return value, problem, hint, true
}

func (r *secretSources) env(name string, hasDefault bool, whenUnset string) (value, problem, hint string) {
	value, set := r.lookupEnv(name)
	switch {
	case value == "" && hasDefault:
		return whenUnset, "", ""
	case !set:
		return "", "environment variable " + name + " is not set", "set it, or write ${env:" + name + ":-default}"
	case value == "":
		return "", "environment variable " + name + " is empty", "write ${env:" + name + ":-} if that is meant"
	case !utf8.ValidString(value):
		return "", "environment variable " + name + " is not UTF-8", ""
	default:
		return value, "", ""
	}
}

func (r *secretSources) file(path string) (value, problem string) {
	read, ok := r.files[path]
	if !ok {
		read = r.read(path)
		r.files[path] = read
	}
	if read.problem != "" {
		return "", "file " + path + " " + read.problem
	}
	return read.text, ""
}

func (r *secretSources) read(path string) fileSecret {
	data, err := r.readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fileSecret{problem: "does not exist"}
	case errors.Is(err, fs.ErrPermission):
		return fileSecret{problem: "may not be read"}
	case err != nil:
		return fileSecret{problem: "cannot be read"}
	case len(data) > largestSecret:
		return fileSecret{problem: "is larger than 64 KiB"}
	case !utf8.Valid(data):
		return fileSecret{problem: "is not UTF-8 text"}
	}
	text := strings.TrimSuffix(string(data), "\n")
	return fileSecret{text: strings.TrimSuffix(text, "\r")}
}

// within returns the place of a stretch of a scalar's text, up to the end of its first line. Where the
// file does not show it as it is, that is the scalar's place.
func (s *source) within(n *node, from, to int) place {
	places, ok := s.align(n)
	if !ok || from >= len(places) {
		return s.place(n)
	}
	start, end := places[from], places[max(from, min(to, len(places))-1)]
	if end.line != start.line {
		return s.restOfLine(start.line, start.col)
	}
	return place{start.line, start.col, end.endCol}
}
