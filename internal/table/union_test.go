package table

import (
	"fmt"
	"testing"

	"callboard/internal/queue"
)

func TestUnion(t *testing.T) {
	var got string
	u := NewUnion(func(sinks []queue.Sink) {
		got = ""
		for _, s := range sinks {
			got += fmt.Sprintf("%s×%d ", s.Name, s.Concurrency)
		}
	})
	sinks := func(concurrency int, names ...string) (list []queue.Sink) {
		for _, name := range names {
			list = append(list, queue.Sink{Name: name, Concurrency: concurrency})
		}
		return list
	}
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"the candidate comes first", func() { u.Candidate(sinks(2, "a", "b")) }, "a×2 b×2 "},
		{"the serving folder's settings count", func() { u.Serving(sinks(1, "b", "c")) }, "b×1 c×1 a×2 "},
		{"the candidate changes", func() { u.Candidate(sinks(3, "b", "d")) }, "b×1 c×1 d×3 "},
		{"the candidate is taken away", func() { u.Candidate(nil) }, "b×1 c×1 "},
	} {
		if step.do(); got != step.want {
			t.Errorf("%s: the queue has %s, want %s", step.what, got, step.want)
		}
	}
}
