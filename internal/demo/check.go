package demo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"callboard/openim"
)

// check compares what a callback was answered with what its sample wants. It returns "", or how the
// two differ.
func (p performance) check() string {
	var reply map[string]any
	if err := json.Unmarshal(p.reply, &reply); err != nil {
		return fmt.Sprintf("the reply is no JSON object: %v", err)
	}
	var wrong []string
	if wanted, got := verdictText(p.want.refused, p.want.code), p.concluded(reply); got != wanted {
		wrong = append(wrong, fmt.Sprintf("wanted %s, got %s", wanted, got))
	}
	for name, value := range p.want.fields {
		if !reflect.DeepEqual(reply[name], value) {
			wrong = append(wrong, fmt.Sprintf("wanted %s %q, got %q", name, value, reply[name]))
		}
	}
	slices.Sort(wrong)
	return strings.Join(wrong, "; ")
}

// concluded is the verdict that the reply carries: what IMServer makes of it for a before-callback, and
// whether the policy was met for an after-callback, which IMServer does not read.
func (p performance) concluded(reply map[string]any) string {
	if p.callback.Phase() == openim.Before {
		return verdictText(p.reading.Refused, p.reading.Code)
	}
	code, _ := reply["errCode"].(float64)
	return verdictText(reply["actionCode"] != 0.0, int64(code))
}

func verdictText(refused bool, code int64) string {
	if refused {
		return fmt.Sprintf("refuse %d", code)
	}
	return "allow"
}
