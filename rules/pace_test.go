package rules

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPaceRestsAfterWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pace{time.Now()}
		for _, row := range []struct {
			worked time.Duration
			i      int
			rests  bool
		}{
			{worked: workTime - 1, i: 99},
			{worked: 1, i: 98},
			{worked: 0, i: 99, rests: true},
			{worked: 0, i: 199},
			{worked: workTime, i: 299, rests: true},
		} {
			time.Sleep(row.worked)
			before := time.Now()
			p.breathe(row.i)
			if rested := time.Since(before) == restTime; rested != row.rests {
				t.Errorf("at %d, %v later: rests %t, want %t", row.i, row.worked, rested, row.rests)
			}
		}
		(*pace)(nil).breathe(99)
	})
}
