package table

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Here time is fake, and hints come from the test: real events would not count as idle.

// A bubble is a Keeper at work on a.yaml with fake time.
type bubble struct {
	*kept
	file  string
	hints chan struct{}
}

// inBubble runs f with a Keeper at work on a folder where a.yaml says "old", after its first look. The poll comes
// every 5 s, the debounce is 200 ms.
func inBubble(t *testing.T, f func(t *testing.T, b bubble)) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := bubble{file: filepath.Join(dir, "a.yaml"), hints: make(chan struct{}, 1)}
		write(t, b.file, "old")
		b.kept = newKept(t, dir, func(o *Options) { o.Poll, o.Debounce = 0, 0 })
		b.mustLoad("old")
		b.start(func(ctx context.Context) { b.watch(ctx, &watcher{log: b.o.Log, hints: b.hints}) })
		synctest.Wait()
		b.messages()
		b.loads.Store(0)
		f(t, b)
	})
}

// edit writes a.yaml and hints.
func (b bubble) edit(data string) {
	b.t.Helper()
	write(b.t, b.file, data)
	b.hints <- struct{}{}
}

func (b bubble) wantLoads(when string, want int64) {
	b.t.Helper()
	if got := b.loads.Load(); got != want {
		b.t.Errorf("%s: %d loads, want %d", when, got, want)
	}
}

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestALookWaitsForAQuietMoment(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		b.edit("new")
		sleep(199 * time.Millisecond)
		b.wantLoads("199 ms after an edit", 0)
		sleep(time.Millisecond)
		b.wantLoads("200 ms after an edit", 1)
		b.wait("new")
	})
}

func TestABurstOfHintsMakesOneLook(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		for range 15 {
			b.edit("new")
			sleep(100 * time.Millisecond)
		}
		b.wantLoads("100 ms after the last of many edits", 0)
		sleep(100 * time.Millisecond)
		b.wantLoads("200 ms after it", 1)
	})
}

func TestABurstWithoutEndIsLookedAtAfterTwoSeconds(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		b.edit("new")
		for range 39 {
			sleep(50 * time.Millisecond)
			b.hints <- struct{}{}
		}
		b.wantLoads("1950 ms after the first edit", 0)
		sleep(50 * time.Millisecond)
		b.wantLoads("2 s after the first edit", 1)
	})
}

func TestTheSameContentsAreNoNews(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		checked := b.Status().CheckedAt
		replace(t, b.file, "old")
		b.hints <- struct{}{}
		sleep(time.Hour)
		b.wantLoads("an hour after a file was replaced by its like", 0)
		if got := b.messages(); len(got) > 0 {
			t.Errorf("logged %q", got)
		}
		if !b.Status().CheckedAt.After(checked) {
			t.Error("the status does not say that the files were read")
		}
	})
}

func TestAnEmptyFileGetsASecondLook(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		b.edit("")
		sleep(399 * time.Millisecond)
		b.wantLoads("before the second look at an emptied file", 0)
		write(t, b.file, "new")
		sleep(time.Millisecond)
		b.wantLoads("after the second look", 1)
		if diff := cmp.Diff([][]string{{"new"}}, b.published()); diff != "" {
			t.Errorf("published: -want +got\n%s", diff)
		}

		b.edit("")
		sleep(400 * time.Millisecond)
		if diff := cmp.Diff([][]string{{}}, b.published()); diff != "" {
			t.Errorf("published when the file stayed empty: -want +got\n%s", diff)
		}
	})
}

func TestAMissingFileGetsASecondLook(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		must(t, os.Remove(b.file))
		b.hints <- struct{}{}
		sleep(399 * time.Millisecond)
		if s := b.Status(); s.Err != "" || len(b.messages()) > 0 {
			t.Errorf("before the second look the status is %+v", s)
		}
		sleep(time.Millisecond)
		if s := b.Status(); s.Err == "" || s.Current {
			t.Errorf("after the second look the status is %+v", s)
		}
		sleep(time.Hour)
		if got, want := b.messages(), []string{"rules cannot be read"}; !cmp.Equal(got, want) {
			t.Errorf("an hour without rules logged %q, want %q", got, want)
		}
		write(t, b.file, "new")
		sleep(6 * time.Second)
		b.wait("new")
	})
}

func TestThePollSeesWhatNoEventTells(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		replace(t, b.file, "new")
		sleep(5199 * time.Millisecond)
		b.wantLoads("before the poll and a quiet moment", 0)
		sleep(time.Millisecond)
		b.wantLoads("after it", 1)
		b.wait("new")
	})
}

func TestThePollWaitsWhileAFileGrows(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		write(t, b.file, "new")
		grow := func() { must(t, os.Chtimes(b.file, time.Now(), time.Now())) }
		sleep(5 * time.Second) // and 200 ms to the look that the poll asks for
		for range 10 {
			grow()
			sleep(100 * time.Millisecond)
		}
		b.wantLoads("while the file grows", 0)
		sleep(300 * time.Millisecond)
		b.wantLoads("when it no longer does", 1)
		for range 30 {
			write(t, b.file, time.Now().String())
			grow()
			b.hints <- struct{}{}
			sleep(100 * time.Millisecond)
		}
		b.wantLoads("three seconds into growing without end", 2)
	})
}

func TestThePollSeesAReferencedFileChange(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		secret := filepath.Join(t.TempDir(), "secret")
		write(t, secret, "one")
		b.edit("secret " + secret)
		sleep(time.Second)
		b.wait("secret one")
		write(t, secret, "two")
		sleep(6 * time.Second)
		b.wait("secret two")

		must(t, os.Remove(secret))
		sleep(6 * time.Second)
		b.waitLog("rules rejected")
		write(t, secret, "three")
		sleep(6 * time.Second)
		b.wait("secret three")
	})
}

func TestReloadLooksAtOnceAndSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		write(t, b.file, "new")
		b.Reload()
		b.Reload()
		synctest.Wait()
		b.wantLoads("at once", 1)
		b.wait("new")
		b.messages()

		b.Reload()
		synctest.Wait()
		if got, want := b.messages(), []string{"rules unchanged"}; !cmp.Equal(got, want) {
			t.Errorf("a reload of the same rules logged %q, want %q", got, want)
		}
		b.edit("bad")
		sleep(time.Second)
		b.messages()
		b.Reload()
		synctest.Wait()
		if got, want := b.messages(), []string{"rules not reloaded"}; !cmp.Equal(got, want) {
			t.Errorf("a reload of the same invalid rules logged %q, want %q", got, want)
		}
		b.edit("")
		b.Reload()
		synctest.Wait()
		b.wantLoads("at once, with the file emptied", 3)
	})
}

func TestADiagnosticIsLoggedOncePerContents(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		b.edit("bad")
		sleep(time.Hour)
		want := []string{"rules diagnostic", "rules rejected"}
		if got := b.messages(); !cmp.Equal(got, want) {
			t.Errorf("an hour of an invalid file logged %q, want %q", got, want)
		}
		b.wantLoads("in that hour", 1)
		b.edit("bad \n")
		sleep(time.Hour)
		if got := b.messages(); !cmp.Equal(got, want) {
			t.Errorf("an hour of another invalid file logged %q, want %q", got, want)
		}
	})
}

func TestAPanicWhileLoadingLeavesTheOldTableServing(t *testing.T) {
	inBubble(t, func(t *testing.T, b bubble) {
		b.edit("panic")
		sleep(time.Second)
		s := b.Status()
		if s.Current || s.Rules != 1 || len(s.Diagnostics) != 1 || s.Diagnostics[0].ID != "internal-error" {
			t.Errorf("the status is %+v", s)
		}
		b.edit("new")
		sleep(time.Second)
		b.wait("new")
	})
}
