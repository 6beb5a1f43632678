package journal

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What is written comes back, every field of it: a new one that wire.go forgets fails here.
func TestRecordsComeBackAsTheyWere(t *testing.T) {
	// Values for every field there is; of those whose type is too wide, what is read back.
	made := rapid.MakeConfig{Types: map[reflect.Type]*rapid.Generator[any]{
		reflect.TypeFor[time.Time](): rapid.Custom(func(t *rapid.T) any {
			return time.UnixMilli(rapid.Int64Range(-1<<40, 1<<50).Draw(t, "ms")).UTC()
		}),
		reflect.TypeFor[any](): rapid.Just[any](json.RawMessage(`{"why":"so"}`)),
	}}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.MakeCustom[Callback](made).Draw(t, "callback")
		back, err := decodeCallback(new(encoder).callback(&c))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&c, back, cmp.Transformer("none", noneOf)); diff != "" {
			t.Errorf("callback: %s", diff)
		}
		a := rapid.MakeCustom[Attempt](made).Draw(t, "attempt")
		again, err := decodeAttempt(new(encoder).attempt(&a))
		if diff := cmp.Diff(a, again); diff != "" || err != nil {
			t.Errorf("attempt: %v %s", err, diff)
		}
	})
}

// noneOf makes no list of an empty one: both are written as nothing.
func noneOf(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}
