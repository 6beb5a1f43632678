package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"callboard/internal/shadow"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A candidate whose folder takes for ever keeps nobody from serving.
func TestStartDoesNotWaitForTheCandidateForEver(t *testing.T) {
	dir := t.TempDir()
	text := "sinks: {a: {url: 'http://a.internal', secret: '${file:/hangs}'}}\nrules: [{name: a, await: {sinks: [a]}}]\n"
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		answers := make(chan struct{})
		hangs := func(string) ([]byte, error) { <-answers; return nil, os.ErrNotExist }
		second := &candidate{keeper: table.New(table.Options{Dir: dir, Rules: rules.Options{ReadFile: hangs}, Publish: func(*router.Table) {}})}
		var err error
		second.shadow, err = shadow.New(shadow.Options{SetCandidate: func(*router.Table, func(*openim.Callback) bool) {}})
		if err != nil {
			t.Fatal(err)
		}
		var g errgroup.Group
		begun := time.Now()
		second.start(ctx, &g)
		if waited := time.Since(begun); waited != candidatePatience {
			t.Errorf("it waited %v, want %v", waited, candidatePatience)
		}
		close(answers)
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	})
}
