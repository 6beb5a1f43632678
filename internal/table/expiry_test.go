package table

import (
	"testing"
	"testing/synctest"
	"time"

	"callboard/rules"
)

// Rules expire while the table serves, and nothing is read again for that.
func TestRulesExpireWhileTheyServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e expiry
		if n := e.count(time.Now()); n != 0 {
			t.Errorf("before the first table %d rules have expired", n)
		}
		set, found := rules.Load([]rules.File{{Name: "r.yaml", Data: []byte(`rules:
  - {name: stays, callbacks: [beforeSendGroupMsg], reply: allow}
  - {name: today, callbacks: [beforeSendSingleMsg], expires: 2000-01-01, reply: allow}
  - {name: tomorrow, callbacks: [beforeCreateGroup], expires: 2000-01-02, reply: allow}
`)}}, rules.Options{})
		if len(found) > 0 {
			t.Fatal(found)
		}
		e.of(set)
		for day, want := range []int{0, 1, 2, 2} {
			if n := e.count(time.Now()); n != want { // the bubble begins at midnight of 2000-01-01
				t.Errorf("on day %d %d rules have expired, want %d", day, n, want)
			}
			time.Sleep(24 * time.Hour)
		}
	})
}
