package when

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever a callback holds, conditions end within their budget, and those that touch no value
// of unknown type do not fail.
func TestAnyCallback(t *testing.T) {
	total := []*Cond{
		mustCompile(t, `groupID == "a" || sendID startsWith "b" || content matches "c+" || text contains "d"`),
		mustCompile(t, `contentType in [Text, Picture] || sendTime > 5 || seq in 1..9 || senderPlatformID % 2 == 1`),
		mustCompile(t, `any(atUserList, # == sendID) || mentions(groupID) || any(users, .userID == "a" && .createTime < 5)`),
		mustCompile(t, `raw.groupID == "a" || data.x.y[0] == 1 || json(ex).z == nil || headers.a == query.b`),
		mustCompile(t, `any(data.x, .y == 1) || data.x == raw.x || first(raw.x) == last(data.y) || type(data) == "x"`),
	}
	partial := []*Cond{
		mustCompile(t, `data.x > 5 || len(raw.x) == 1 || lower(data.y) == "a"`),
		mustCompile(t, `any(raw.x, any(raw.x, # == data.y)) || int(raw.y) == 5 || raw.x && data.y`),
	}
	env := NewEnv(slices.Concat(total, partial))
	names := append(sortedKeys(allCarriers()), "x", "y", "extra")
	rapid.Check(t, func(rt *rapid.T) {
		body := map[string]any{}
		for range rapid.IntRange(0, 12).Draw(rt, "fields") {
			body[rapid.SampledFrom(names).Draw(rt, "name")] = jsonValue(3).Draw(rt, "value")
		}
		command := rapid.SampledFrom([]string{groupMsg, "beforeUserRegister", "beforeOnlinePush", "callbackNewCommand"}).Draw(rt, "command")
		cb := callback(t, command, body)
		s := env.Bind(cb, noon)
		defer s.Release()
		for i, c := range slices.Concat(total, partial) {
			before := s.total
			_, err := s.Eval(c)
			if before-s.total > evaluationSteps || s.total < 0 {
				rt.Fatalf("%s took %d steps", c.Source(), before-s.total)
			}
			if err != nil && i < len(total) {
				rt.Fatalf("%s fails: %v", c.Source(), err)
			}
			s.Explain(c)
		}
	})
}

// jsonValue generates any JSON value.
func jsonValue(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int().AsAny(), rapid.Float64Range(-1e6, 1e6).AsAny(),
		rapid.SampledFrom([]string{"", "a", "abc", `{"x":{"y":[1]}}`, `[1,"a",null]`, "\x00", "ü"}).AsAny(), rapid.String().AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	names := rapid.SampledFrom([]string{"x", "y", "userID", "createTime", "value"})
	return rapid.OneOf(append(scalars,
		rapid.SliceOfN(jsonValue(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(names, jsonValue(depth-1), 0, 3).AsAny())...)
}
