package openim

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// A Dialect says which IMServer version's rule a sink follows when it refuses.
type Dialect uint8

const (
	// DialectCurrent refuses with actionCode 0 and nextCode 1; a non-zero actionCode is a failure.
	DialectCurrent Dialect = iota
	// DialectV2 refuses with any non-zero actionCode; nextCode does not exist.
	DialectV2
)

// A FieldValue is one reply field with its JSON text.
type FieldValue struct {
	Name string
	Raw  []byte // one JSON value
}

// An Answer is what a sink said, read forgivingly.
type Answer struct {
	Vote    Vote
	Code    int32        // errCode of a refusal or of a failure that has one, 0 when none was given
	Message string       // errMsg of the same
	Detail  string       // errDlt of the same
	Fields  []FieldValue // everything beside the common five, in order, unchecked
	Reason  string       // why the vote failed, or a remark for the trace, or ""; holds nothing of the body
}

// ReadAnswer reads a sink's answer: HTTP status and body. It understands what IMServer would
// choke on (nextCode "" or "1", missing fields, a BOM, 204 and empty bodies, names in another
// case) and never returns an error: what cannot be understood is a Failed vote with its Reason.
// Of a name given twice the last counts. The Answer keeps no part of body.
//
// 204 and an empty body abstain: the sink has nothing to say. {} and null allow, as they do for
// IMServer: they are replies whose fields are all zero. A status other than 2xx is a failure,
// whatever the body says.
func ReadAnswer(status int, body []byte, d Dialect) Answer {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch {
	case status >= 300 && status < 400:
		return Answer{Reason: "answered with a redirect, which is not followed"}
	case status < 200 || status >= 300:
		return Answer{Reason: fmt.Sprintf("answered HTTP %d", status)}
	case status == http.StatusNoContent || len(body) == 0:
		return Answer{Vote: Abstain}
	case string(body) == "null", string(body) == plainAllow:
		return Answer{Vote: Allow}
	case body[0] != '{':
		return Answer{Reason: "its answer is " + nature(body) + ", not a JSON object"}
	}
	var r answerReader
	if err := r.read(body); err != nil {
		return Answer{Reason: err.Error()}
	}
	return r.vote(d)
}

// plainAllow is what nearly every sink answers nearly every time: worth a comparison before a parse.
const plainAllow = allow + "}"

// nature says what a body that is no object looks like, judged by its beginning.
func nature(body []byte) string {
	if body[0] == '<' {
		return "HTML or XML"
	}
	if raw, ok := oneValue(body); ok {
		return describe(raw)
	}
	if body[0] == '[' {
		return "a broken list"
	}
	return "text"
}

// An answerReader collects the members of an answer.
type answerReader struct {
	actionCode, errCode, nextCode int64
	errMsg, errDlt                string
	fields                        []FieldValue
	places                        map[string]int // lower-case name → place in fields; nil while there are none
	remarks                       []string
}

// An unreadable error says why an answer cannot be read, without repeating it.
type unreadable string

func (u unreadable) Error() string { return string(u) }

func (r *answerReader) read(body []byte) error {
	s := scan(body, lenient...)
	defer s.release()
	if err := s.open(); err != nil {
		return unreadable("its answer is broken JSON")
	}
	for s.more() {
		name, raw, err := s.member()
		if err != nil {
			return unreadable(fmt.Sprintf("its answer is broken JSON, at byte %d", s.dec.InputOffset()))
		}
		if err := r.take(name, raw); err != nil {
			return err
		}
	}
	if !s.atEnd() {
		return unreadable("its answer goes on after the object")
	}
	return nil
}

// take reads one member. Only the codes that decide may make an answer unreadable.
func (r *answerReader) take(name, raw []byte) error {
	switch common := commonName(name); common {
	case "actionCode":
		return readCode(&r.actionCode, common, raw)
	case "nextCode":
		return readCode(&r.nextCode, common, raw)
	case "errCode":
		if readCode(&r.errCode, common, raw) != nil || int64(int32(r.errCode)) != r.errCode {
			r.errCode = 0
			r.remark("its errCode is no 32-bit integer and counts as 0")
		}
	case "errMsg":
		r.readMessage(&r.errMsg, common, raw)
	case "errDlt":
		r.readMessage(&r.errDlt, common, raw)
	default:
		if len(r.fields) == maxFields {
			return unreadable(fmt.Sprintf("its answer has more than %d fields", maxFields))
		}
		r.keep(string(name), bytes.Clone(raw))
	}
	return nil
}

// commonName returns which of the common five a name is, in any case, or "".
func commonName(name []byte) string {
	for _, common := range [...]string{"actionCode", "errCode", "errMsg", "errDlt", "nextCode"} {
		if len(name) == len(common) && strings.EqualFold(string(name), common) {
			return common
		}
	}
	return ""
}

// keep adds a field, or puts it in the place of an earlier one of the same name.
func (r *answerReader) keep(name string, raw []byte) {
	lower := strings.ToLower(name)
	if place, again := r.places[lower]; again {
		r.fields[place] = FieldValue{name, raw}
		return
	}
	if r.places == nil {
		r.places = map[string]int{}
	}
	r.places[lower] = len(r.fields)
	r.fields = append(r.fields, FieldValue{name, raw})
}

// readCode reads an integer in any of the ways that services write one. null leaves it as it is,
// as it does for IMServer.
func readCode(code *int64, name string, raw []byte) error {
	number := raw
	switch raw[0] {
	case 'n':
		return nil
	case '"':
		number = bytes.TrimSpace(unquoted(raw))
	}
	switch string(number) {
	case "", "false":
		*code = 0
		return nil
	case "true":
		*code = 1
		return nil
	}
	if raw[0] == '"' { // what the text holds was not validated with the answer
		var ok bool
		if number, ok = oneValue(number); !ok {
			number = nil
		}
	}
	if !isNumber(number) {
		return unreadable(fmt.Sprintf("its %s is %s that holds no integer", name, describe(raw)))
	}
	n, exact := parseInt(number)
	if !exact {
		return unreadable(fmt.Sprintf("its %s is no 64-bit integer", name))
	}
	*code = n
	return nil
}

// scalarText returns a string's characters, and other JSON text as it is.
func scalarText(raw []byte) []byte {
	if raw[0] == '"' {
		return unquoted(raw)
	}
	return raw
}

// readMessage reads a text; a number or boolean counts as its own text.
func (r *answerReader) readMessage(message *string, name string, raw []byte) {
	switch raw[0] {
	case 'n':
	case '{', '[':
		r.remark(fmt.Sprintf("its %s is %s and is left out", name, describe(raw)))
	default:
		*message = strings.ToValidUTF8(string(scalarText(raw)), "\ufffd")
	}
}

func (r *answerReader) remark(s string) { r.remarks = append(r.remarks, s) }

// vote applies the dialect's rule.
func (r *answerReader) vote(d Dialect) Answer {
	a := Answer{Fields: r.fields}
	switch {
	case r.actionCode == 0 && (r.nextCode != 1 || d == DialectV2):
		a.Vote = Allow
		r.remarkOnAllow(d)
	case r.actionCode == 0, d == DialectV2:
		a.Vote = Refuse
	default:
		reason := fmt.Sprintf("answered actionCode %d", r.actionCode)
		if r.nextCode == 1 {
			reason += " with nextCode 1: a refusal was probably meant, which is actionCode 0 with nextCode 1"
		}
		r.remarks = append([]string{reason}, r.remarks...)
	}
	if a.Vote != Allow {
		a.Code, a.Message, a.Detail = int32(r.errCode), r.errMsg, r.errDlt
	}
	a.Reason = strings.Join(r.remarks, "; ")
	return a
}

// remarkOnAllow points at codes that look like more than they do.
func (r *answerReader) remarkOnAllow(d Dialect) {
	switch {
	case r.nextCode == 1:
		r.remark("nextCode 1 does not refuse in the v2 dialect")
	case r.nextCode != 0 && d == DialectCurrent:
		r.remark(fmt.Sprintf("nextCode %d does not refuse, only 1 does", r.nextCode))
	case r.errCode != 0:
		r.remark(fmt.Sprintf("errCode %d alone does not refuse", r.errCode))
	}
}
