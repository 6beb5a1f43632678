package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
)

// A rowTable prints rows for people below a head, or one line when there are none.
type rowTable struct {
	w    io.Writer
	t    *tabwriter.Writer
	head string
	none string
	rows int
}

// newRowTable makes a table whose head has tabs between its columns.
func newRowTable(w io.Writer, head, none string) *rowTable {
	return &rowTable{w: w, t: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), head: head, none: none}
}

// add adds a row, a cell a column.
func (t *rowTable) add(cells ...any) error {
	if t.rows == 0 {
		fmt.Fprintln(t.t, t.head)
	}
	t.rows++
	_, err := fmt.Fprintf(t.t, strings.Repeat("\t%v", len(cells))[1:]+"\n", cells...)
	return err
}

// end prints the table, or that it is empty.
func (t *rowTable) end() error {
	if t.rows == 0 {
		_, err := fmt.Fprintln(t.w, t.none)
		return err
	}
	return t.t.Flush()
}

// printList prints up to limit items of the API's list, as rows of table or as JSON, and tells when there are more.
func printList[T any](a *app, admin adminFlags, format, path string, query url.Values, limit int, table *rowTable, row func(T) []any) error {
	show := func(item T) error { return table.add(row(item)...) }
	if format == "json" {
		show = func(item T) error { return writeLine(a.stdout, item) }
	}
	more, err := list(a, admin, path, query, limit, show)
	if err != nil {
		return err
	}
	if format == "text" {
		err = table.end()
	}
	if more {
		fmt.Fprintf(a.stderr, "note: there are more than %d; --limit shows more\n", limit)
	}
	return err
}
