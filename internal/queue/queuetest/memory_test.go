package queuetest

import (
	"context"
	"errors"
	"flag"
	"testing"

	"callboard/internal/queue"
)

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "20"); err != nil { // of the model against itself; -rapid.checks asks for more
		panic(err)
	}
	m.Run()
}

func TestMemory(t *testing.T) {
	Run(t, func(testing.TB) Maker {
		m := NewMemory()
		return Maker{
			Open:  func(testing.TB) queue.Store { m = m.Reopen(); return m },
			Crash: func(testing.TB, queue.Store) {},
		}
	})
}

func TestMemoryFailsAsItIsTold(t *testing.T) {
	broken := errors.New("broken")
	m := NewMemory()
	m.BeforeCommit = func(context.Context, *queue.Batch) error { return broken }
	if err := m.Commit(t.Context(), &queue.Batch{Events: []*queue.Event{{ID: "x"}}}); !errors.Is(err, broken) {
		t.Errorf("Commit = %v, want %v", err, broken)
	}
	if n := m.Usage().Events; n != 0 {
		t.Errorf("a commit that failed before kept %d events", n)
	}
	m.BeforeCommit = nil
	m.AfterCommit = func(context.Context, *queue.Batch) error { return broken }
	if err := m.Commit(t.Context(), &queue.Batch{Events: []*queue.Event{{ID: "x"}}}); !errors.Is(err, broken) {
		t.Errorf("Commit = %v, want %v", err, broken)
	}
	if n := m.Reopen().Usage().Events; n != 1 {
		t.Errorf("a commit that failed after kept %d events", n)
	}
	m = m.Reopen()
	m.BeforeRead = func(method string) error {
		if method == "Read" {
			return broken
		}
		return nil
	}
	if _, _, err := m.Read(t.Context(), "a", 0, 1, 1); !errors.Is(err, broken) {
		t.Errorf("Read = %v, want %v", err, broken)
	}
	if _, err := m.Load(t.Context()); err != nil {
		t.Errorf("Load: %v", err)
	}
}
