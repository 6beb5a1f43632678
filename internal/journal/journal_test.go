package journal

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatWasRecordedIsFound(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		j := open(t, o)
		var want []*Callback
		var attempts []Attempt
		for n := range 3000 {
			c := sample(noon.Add(time.Duration(n)*time.Millisecond), n)
			want = append(want, c.read())
			j.Callback(c)
			for _, a := range sampleAttempts(c, n) {
				j.Attempt(a)
				if n == 1500 {
					attempts = append(attempts, *a)
				}
			}
		}
		check := func(when string) {
			t.Helper()
			if diff := differ(want, find(t, j, Filter{}, true)); diff != "" {
				t.Errorf("%s, oldest first: %s", when, diff)
			}
			newest := slices.Clone(want)
			slices.Reverse(newest)
			if diff := differ(newest, find(t, j, Filter{}, false)); diff != "" {
				t.Errorf("%s, newest first: %s", when, diff)
			}
			got, as, err := j.Get(t.Context(), want[1500].ID)
			if err != nil {
				t.Fatalf("%s: Get: %v", when, err)
			}
			if diff := cmp.Diff(want[1500], got); diff != "" {
				t.Errorf("%s, Get (-want +got):\n%s", when, diff)
			}
			if diff := cmp.Diff(attempts, as); diff != "" {
				t.Errorf("%s, attempts (-want +got):\n%s", when, diff)
			}
			if _, _, err := j.Get(t.Context(), ulid(noon, 99999)); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: Get of an unknown id: %v, want ErrNotFound", when, err)
			}
		}
		check("not written")
		write(t, j)
		if len(chunkIDs(j)) < 2 {
			t.Errorf("%d chunks, want some", len(chunkIDs(j)))
		}
		check("written")
		shut(t, j)
		if err := j.Find(t.Context(), Filter{}, false, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Find on a closed journal: %v, want ErrClosed", err)
		}
		j = open(t, o)
		check("opened again")
	})
}
