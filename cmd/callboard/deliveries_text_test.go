package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"callboard/internal/journal"
)

func TestAttemptsSayThatTheyWentInABatch(t *testing.T) {
	lone := journal.Attempt{Sink: "search", Attempt: 1, Status: 200, State: "done", At: time.Unix(0, 0)}
	third := journal.Attempt{Sink: "archive", Attempt: 2, Status: 503, State: "retrying", At: time.Unix(0, 0), Batch: 100, Place: 3}
	for _, c := range []struct {
		name     string
		attempts []journal.Attempt
		want     []string // words of each line, without the time
	}{
		{"none did", []journal.Attempt{lone}, []string{"SINK ATTEMPT AT TOOK STATUS THEN REASON ANSWER", "search 1 AT 0s 200 done - -"}},
		{"one did", []journal.Attempt{lone, third}, []string{
			"SINK ATTEMPT BATCH AT TOOK STATUS THEN REASON ANSWER",
			"search 1 - AT 0s 200 done - -",
			"archive 2 3 of 100 AT 0s 503 retrying - -",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if err := writeAttempts(&out, c.attempts, true); err != nil {
				t.Fatal(err)
			}
			got := regexp.MustCompile(`\d{4}-\d\d-\d\d \S+`).ReplaceAllString(out.String(), "AT")
			got = strings.TrimSpace(regexp.MustCompile(` +`).ReplaceAllString(got, " "))
			if want := strings.Join(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
