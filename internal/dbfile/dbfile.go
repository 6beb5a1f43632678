// Package dbfile is what the SQLite files of a data folder have in common: how they are opened by either driver, that they
// are their user's only, and what their errors mean.
package dbfile

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // DefaultDriver
)

// DefaultDriver is the database/sql driver of github.com/ncruces/go-sqlite3.
const DefaultDriver = "sqlite3"

// Open returns a pool whose connections run pragmas first, as in "busy_timeout(100)". Nothing is opened yet.
func Open(driver, path string, pragmas ...string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	return sql.Open(driver, dsn.String())
}

// Make makes the file where it is missing, for this user only: it holds what users write. An error says that it could not be
// written either.
func Make(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// ShareMode gives what SQLite keeps beside the open file its permissions, which not every driver does.
func ShareMode(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Chmod(path+suffix, info.Mode().Perm()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// SQLite's primary result codes that people or callers must be told apart (sqlite.org/rescode.html).
const (
	Perm     = 3
	ReadOnly = 8
	IOErr    = 10
	Corrupt  = 11
	Full     = 13
	CantOpen = 14
	NotADB   = 26
)

// Code returns the primary result code of an error of either driver, 0 when it has none.
func Code(err error) int {
	if e, ok := errors.AsType[sqlite3.ExtendedErrorCode](err); ok {
		return int(e.Code())
	}
	if e, ok := errors.AsType[sqlite3.ErrorCode](err); ok {
		return int(e)
	}
	if e, ok := errors.AsType[interface { // of modernc.org/sqlite
		error
		Code() int
	}](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// Damaged reports whether an error means that the file is no sound database.
func Damaged(err error) bool {
	c := Code(err)
	return c == Corrupt || c == NotADB
}
