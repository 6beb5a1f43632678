package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"callboard/internal/console"
	"callboard/openim"
)

// What the commands that operate a running gateway share.

// formatFlag says how a command prints.
type formatFlag struct {
	Format string `default:"text" enum:"text,json" help:"How to print: text for people, or the API's objects as JSON, one a line."`
}

// A moment is a time on the command line.
type moment struct{ time.Time }

// UnmarshalText reads RFC 3339, a local time as people write it, or a duration for so long ago.
func (m *moment) UnmarshalText(text []byte) error {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, string(text), time.Local); err == nil {
			m.Time = t
			return nil
		}
	}
	t, err := console.ParseMoment(string(text), time.Now())
	if err != nil {
		return fmt.Errorf("%q is neither a time as in 2026-01-31T18:30:00Z or 2026-01-31 18:30, nor a duration as in 90m, 2h or 3d for so long ago", text)
	}
	m.Time = t
	return nil
}

// wire is the moment in the API's form, "" for none.
func (m moment) wire() string {
	if m.IsZero() {
		return ""
	}
	return m.UTC().Format(time.RFC3339Nano)
}

// windowFlags bound the time.
type windowFlags struct {
	Since moment `placeholder:"TIME" help:"From this time on: 2026-01-31T18:30:00Z, 2026-01-31 18:30 (local), or 2h for two hours ago."`
	Until moment `placeholder:"TIME" help:"Before this time."`
}

func (f windowFlags) window() console.Window {
	return console.Window{Since: f.Since.wire(), Until: f.Until.wire()}
}

// queryOf makes query parameters of a filter: its fields carry their names.
func queryOf(filter any) url.Values {
	query := url.Values{}
	addQuery(query, reflect.ValueOf(filter))
	return query
}

func addQuery(query url.Values, v reflect.Value) {
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("query"), ",")
		switch {
		case field.Anonymous:
			addQuery(query, value)
		case name == "" || value.IsZero():
		case value.Kind() == reflect.Slice:
			for i := range value.Len() {
				query.Add(name, value.Index(i).String())
			}
		default:
			query.Set(name, fmt.Sprint(value.Interface()))
		}
	}
}

// A page is one of a list.
type page[T any] struct {
	Items []T
	Next  string
}

// maxPage is the most that the API puts on a page.
const maxPage = 1000

// list gets pages until there are limit items, and reports whether there are more.
func list[T any](a *app, admin adminFlags, path string, query url.Values, limit int, yield func(T) error) (more bool, err error) {
	for left := limit; left > 0; {
		query.Set("limit", strconv.Itoa(min(left, maxPage)))
		var p page[T]
		if err := admin.get(a.ctx, path, query, &p); err != nil {
			return false, err
		}
		if len(p.Items) == 0 {
			noteCommand(a, query.Get("command"))
		}
		for _, item := range p.Items {
			if err := yield(item); err != nil {
				return false, err
			}
		}
		if p.Next == "" {
			return false, nil
		}
		left -= len(p.Items)
		query.Set("cursor", p.Next)
	}
	return true, nil
}

// noteCommand tells that nothing may have been found because no command has that name.
func noteCommand(a *app, name string) {
	if name == "" {
		return
	}
	if _, err := lookupCommand(name); err != nil {
		fmt.Fprintf(a.stderr, "note: %v\n", err)
		if f, ok := errors.AsType[*failure](err); ok {
			fmt.Fprintf(a.stderr, "hint: %s\n", f.hint)
		}
	}
}

// checkLimit refuses a limit that lists nothing.
func checkLimit(limit int) error {
	if limit <= 0 {
		return usageError("", "--limit must be more than 0")
	}
	return nil
}

// writeLine prints a value as a line of JSON.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// age is how long ago something was, or how far it is away, in one unit.
func age(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + "h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + "d"
}

// plain is a text on one line, without what would steer a terminal: users and sinks have written some of it.
func plain(s string) string { return strings.Map(tame, strings.Join(strings.Fields(s), " ")) }

// tame replaces what a terminal would act on, such as escapes and marks that turn the direction of writing. Emoji are held together
// by joiners.
func tame(r rune) rune {
	const zeroWidthJoiner = '\u200d'
	if unicode.IsPrint(r) || r == '\n' || r == zeroWidthJoiner {
		return r
	}
	return unicode.ReplacementChar
}

// cut shortens a text to n characters for a table, and keeps it on its line.
func cut(s string, n int) string {
	s = plain(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// orDash is what a table shows for nothing.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shortCommand is the name that people use.
func shortCommand(wire string) string {
	if c, ok := openim.Lookup(wire); ok {
		return c.Short
	}
	return plain(wire)
}

// momentText shows a moment in local time with how long ago it was.
func momentText(t time.Time) string {
	return t.Local().Format("2006-01-02 15:04:05.000 -0700") + " (" + age(time.Since(t)) + " ago)"
}
