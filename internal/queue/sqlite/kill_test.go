package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"callboard/internal/queue"
)

const childEnv = "CALLBOARD_TEST_COMMIT_TO"

// commitUntilKilled is the child of TestKilledWhileCommitting: it commits batches, trims now and then, and says
// the last place of each batch once it is acknowledged.
func commitUntilKilled() {
	ctx := context.Background()
	s, err := Open(ctx, Options{Path: os.Getenv(childEnv), Driver: os.Getenv(childEnv + "_DRIVER"), walLimit: 256 << 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		for {
			_, _ = s.Trim(ctx, 50)
		}
	}()
	out := bufio.NewWriter(os.Stdout)
	for i := 0; ; i++ {
		b := &queue.Batch{}
		for j := range 1 + i%20 {
			b.Events = append(b.Events, &queue.Event{
				ID: fmt.Sprintf("%020d.%05d", i, j), Targets: []queue.Target{{Sink: "kept"}, {Sink: "fast"}}, Body: make([]byte, 1500),
			})
		}
		if err := s.Commit(ctx, b); err != nil {
			fmt.Println(err)
			return
		}
		last := b.Events[len(b.Events)-1].Seq
		fmt.Fprintln(out, last)
		out.Flush()
		settle := &queue.Batch{Sinks: []queue.Cursor{{Sink: "fast", Floor: last}}}
		if err := s.Commit(ctx, settle); err != nil {
			fmt.Println(err)
			return
		}
	}
}

// A real process dies at random moments: whatever it said that it had is there, in order and whole.
func TestKilledWhileCommitting(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		path := filepath.Join(t.TempDir(), "queue.db")
		acknowledged := uint64(0)
		for kill := range 3 {
			said := killAfter(t, path, driver, 20+40*kill)
			if said <= acknowledged {
				t.Fatalf("run %d acknowledged up to %d, the one before up to %d", kill, said, acknowledged)
			}
			acknowledged = said
			s := openStore(t, Options{Path: path, Driver: driver})
			snap, err := s.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if snap.Head < acknowledged {
				t.Fatalf("%d was acknowledged, the log ends at %d", acknowledged, snap.Head)
			}
			next := uint64(1)
			for after := uint64(0); after < snap.Head; {
				events, upTo, err := s.Read(t.Context(), "kept", after, 1000, 1<<30)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range events {
					if e.Seq != next || len(e.Body) != 1500 {
						t.Fatalf("after a kill comes %d with %d bytes, want %d with 1500", e.Seq, len(e.Body), next)
					}
					next++
				}
				after = upTo
			}
			if next != snap.Head+1 {
				t.Fatalf("the log ends at %d, the events at %d", snap.Head, next-1)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d events acknowledged, none lost in 3 kills", acknowledged)
	})
}

// killAfter runs a child until it has acknowledged so many batches, kills it, and returns the last place acknowledged.
func killAfter(t *testing.T, path, driver string, batches int) (last uint64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+path, childEnv+"_DRIVER="+driver)
	var errs bytes.Buffer
	child.Stderr = &errs
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		seq, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			t.Errorf("the child said %q", lines.Text())
			break
		}
		last = seq
		if n == batches {
			killed = true
			_ = child.Process.Kill()
		}
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if !killed {
		t.Fatalf("the child ended by itself: %s", &errs)
	}
	return last
}
