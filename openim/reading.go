package openim

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// A Reading is what IMServer makes of a reply.
type Reading struct {
	Refused bool
	Code    int64 // what the client is told, 0 when it proceeds
	Message string
	Why     string // a sentence: the rule of this version that decided
}

// dataError is what IMServer tells the client when a reply does not decode.
const (
	dataErrorCode    = 90007
	dataErrorMessage = "DataError"
)

// commonReply is how IMServer decodes the common five, with encoding/json. nextCode came with v3.5.
type commonReply struct {
	ActionCode int32  `json:"actionCode"`
	ErrCode    int32  `json:"errCode"`
	ErrMsg     string `json:"errMsg"`
	ErrDlt     string `json:"errDlt"`
}

type nextReply struct {
	NextCode int32 `json:"nextCode"`
}

// ReadReply tells what an IMServer of that version concludes from a reply to a command: HTTP status is
// ignored, as IMServer does. For `callboard send` and for tests. A nil command is unknown and counts
// as a before-callback. Up to v3.6 the server's failedContinue decides about a reply that does not
// decode; it is taken as true, as those versions shipped it.
func ReadReply(reply []byte, command *Command, version Version) Reading {
	if command != nil && command.Phase == After {
		return Reading{Why: "IMServer ignores the reply to an after-callback"}
	}
	var common commonReply
	var next nextReply
	var own any = &struct{}{}
	if command != nil {
		own = replyStruct(command)
	}
	targets := []any{&common, own}
	if version.hasNextCode() {
		targets = append(targets, &next)
	}
	for _, target := range targets {
		if err := json.Unmarshal(reply, target); err != nil {
			return undecodable(err, version)
		}
	}
	r := decide(common, next.NextCode, version)
	if !r.Refused && version.hasNextCode() && command != nil && losesGroupID(command, own) {
		r.Why += "; the reply lacks the request's groupID, so the change itself fails"
	}
	return r
}

func undecodable(err error, version Version) Reading {
	why := "the reply is not one JSON object"
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) && wrong.Field != "" {
		got, _, _ := strings.Cut(wrong.Value, " ") // without the number itself
		why = fmt.Sprintf("the reply's %s is of type %s, where IMServer reads %s", wrong.Field, got, wrong.Type)
	}
	if version == V37 {
		return Reading{Refused: true, Code: dataErrorCode, Message: dataErrorMessage, Why: why + ": it refuses"}
	}
	return Reading{Why: why + ": failedContinue decides, true unless changed"}
}

// decide applies a version's rule to a reply that decodes.
func decide(c commonReply, nextCode int32, version Version) Reading {
	var refused bool
	var rule string
	switch version {
	case V2:
		refused, rule = c.ActionCode != 0, "a non-zero actionCode refuses"
	case V30:
		refused, rule = c.ActionCode != 0 || c.ErrCode != 0, "a non-zero actionCode or errCode refuses"
	case V35:
		refused = c.ActionCode != 0 || nextCode == 1
		rule = "a non-zero actionCode or nextCode 1 refuses on v3.5; v3.6 never refuses"
	default:
		refused, rule = c.ActionCode == 0 && nextCode == 1, "only actionCode 0 with nextCode 1 refuses"
	}
	if !refused {
		return Reading{Why: rule}
	}
	rule = strings.TrimPrefix(rule, "only ")
	switch {
	case c.ErrCode == 0:
		rule += "; with errCode 0 recent servers report success to the client all the same"
	case c.ErrCode < 100:
		rule += "; recent servers turn an errCode below 100 into an internal error"
	}
	return Reading{Refused: true, Code: int64(c.ErrCode), Message: c.ErrMsg, Why: rule}
}

// replyStruct returns a pointer to a new struct with the command's own reply fields, typed as
// IMServer types them.
func replyStruct(c *Command) any {
	members := make([]Field, len(c.Reply))
	for i, f := range c.Reply {
		members[i] = f.Field
	}
	return reflect.New(structOf(members)).Interface()
}

func structOf(members []Field) reflect.Type {
	fields := make([]reflect.StructField, len(members))
	for i, m := range members {
		fields[i] = reflect.StructField{
			Name: fmt.Sprintf("F%d", i),
			Type: goType(m),
			Tag:  reflect.StructTag(fmt.Sprintf("json:%q", m.Name)),
		}
	}
	return reflect.StructOf(fields)
}

func goType(f Field) reflect.Type {
	switch f.Kind {
	case String:
		return reflect.TypeFor[*string]()
	case Int:
		if f.Bits == 32 {
			return reflect.TypeFor[*int32]()
		}
		return reflect.TypeFor[*int64]()
	case Bool:
		return reflect.TypeFor[*bool]()
	case Strings:
		return reflect.TypeFor[[]string]()
	case Ints:
		return reflect.TypeFor[[]int64]()
	case Object:
		return reflect.PointerTo(structOf(f.Fields))
	case Objects:
		return reflect.SliceOf(structOf(f.Fields))
	case Bools:
		return reflect.TypeFor[map[string]bool]()
	default:
		return reflect.TypeFor[any]()
	}
}

// losesGroupID reports whether IMServer replaces the group's id by nothing.
func losesGroupID(c *Command, own any) bool {
	for i, f := range c.Reply {
		if f.Effect == Always && f.Name == groupID.Name {
			id, _ := reflect.ValueOf(own).Elem().Field(i).Interface().(*string)
			return id == nil || *id == ""
		}
	}
	return false
}
