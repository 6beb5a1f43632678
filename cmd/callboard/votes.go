package main

import (
	"fmt"
	"strconv"
	"strings"

	"callboard/openim"
)

// parseVote reads allow, refuse, refuse:CODE, refuse:CODE:MESSAGE, abstain, failed or failed:REASON.
func parseVote(text string) (openim.Answer, error) {
	word, rest, more := strings.Cut(text, ":")
	switch {
	case word == "refuse":
		return parseRefusal(rest, more)
	case word == "failed" && more:
		return openim.Answer{Vote: openim.Failed, Reason: rest}, nil
	case word == "failed":
		return openim.Answer{Vote: openim.Failed, Reason: "as --vote says"}, nil
	case word == "allow" && !more:
		return openim.Answer{Vote: openim.Allow}, nil
	case word == "abstain" && !more:
		return openim.Answer{Vote: openim.Abstain}, nil
	}
	return openim.Answer{}, fmt.Errorf("%q is no vote: allow, refuse, refuse:CODE, refuse:CODE:MESSAGE, abstain or failed", text)
}

func parseRefusal(text string, hasCode bool) (openim.Answer, error) {
	a := openim.Answer{Vote: openim.Refuse}
	if !hasCode {
		return a, nil
	}
	code, message, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(code, 10, 32)
	if err != nil {
		return a, fmt.Errorf("%q is no refusal code", code)
	}
	a.Code, a.Message = int32(n), message
	return a, nil
}
