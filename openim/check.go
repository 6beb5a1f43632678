package openim

import (
	"fmt"
	"strings"
)

// CheckField checks a sink's or rule's value for a reply field of a command: it returns the value
// under the catalogue's name and in its type (names match in any case, numbers in strings become
// numbers, members that the catalogue lacks are dropped), or the reason why it must be left out.
// A nil or unknown command has no reply fields. Fields that would change nothing or make IMServer
// fail are left out too: IfCarried fields that the request lacks, list entries without userID,
// a message's content that is no JSON object. A reason never holds any of the value.
func CheckField(cb *Callback, f FieldValue) (FieldValue, string) {
	if cb == nil || cb.Command == nil {
		return FieldValue{}, "the command is unknown, and so are its reply fields"
	}
	known := replyField(cb.Command, f.Name)
	if known == nil {
		return FieldValue{}, fmt.Sprintf("%s has no such reply field", cb.Command.Short)
	}
	raw, ok := oneValue(f.Raw)
	if !ok {
		return FieldValue{}, "it is not JSON"
	}
	if reason := checkEffect(cb, known, raw); reason != "" {
		return FieldValue{}, reason
	}
	if raw[0] == 'n' { // checkEffect has let it through as a value
		return FieldValue{Name: known.Name, Raw: []byte("null")}, ""
	}
	if isMessageContent(cb.Command, known) && raw[0] == '{' {
		raw = appendQuoted(nil, raw) // an object where its text belongs
	}
	converted, reason := convert(raw, &known.Field)
	if reason == "" {
		reason = checkValue(cb.Command, known, converted)
	}
	if reason != "" {
		return FieldValue{}, reason
	}
	return FieldValue{Name: known.Name, Raw: converted}, ""
}

// replyField finds a reply field in any case, as IMServer does.
func replyField(c *Command, name string) *ReplyField {
	if f, ok := c.ReplyField(name); ok {
		return f
	}
	for i := range c.Reply {
		if strings.EqualFold(c.Reply[i].Name, name) {
			return &c.Reply[i]
		}
	}
	return nil
}

// oneValue returns text without the white space around it, and whether it is one JSON value.
func oneValue(text []byte) ([]byte, bool) {
	s := scan(text, lenient...)
	defer s.release()
	raw, err := s.value()
	return raw, err == nil && s.atEnd()
}

// checkEffect looks at what IMServer does with the field, whatever its value's type.
func checkEffect(cb *Callback, f *ReplyField, raw []byte) string {
	isNull := raw[0] == 'n'
	switch f.Effect {
	case Ignored:
		return "IMServer ignores it"
	case IfCarried:
		if sent, ok := cb.Raw(f.Name); !ok || sent[0] == 'n' {
			return "the request does not carry it, and IMServer would fail"
		}
	case Always:
		if isNull && !f.Nullable {
			return "it is null, and IMServer would empty the field"
		}
		return ""
	}
	if isNull {
		return "it is null, which changes nothing"
	}
	return ""
}

// checkValue looks at a value of the right type for what IMServer cannot bear.
func checkValue(c *Command, f *ReplyField, raw []byte) string {
	switch {
	case f.Effect == IfNotEmpty && (string(raw) == `""` || string(raw) == `[]`):
		return "it is empty, which changes nothing"
	case f.Effect == Always && f.Name == groupID.Name && string(raw) == `""`:
		return "it is empty, and IMServer would look for a group without id"
	case isMessageContent(c, f) && !isObjectText(raw):
		return "it is not the text of a JSON object, and IMServer would refuse the message"
	case f.Kind == Objects:
		return checkUserIDs(raw, f)
	}
	return ""
}

func isMessageContent(c *Command, f *ReplyField) bool {
	return c.Short == "beforeMsgModify" && f.Name == "content"
}

// isObjectText reports whether a JSON string holds the text of a JSON object.
func isObjectText(quoted []byte) bool {
	text, ok := oneValue(unquoted(quoted))
	return ok && text[0] == '{'
}

// checkUserIDs checks a list of users or members: each needs an id of its own.
func checkUserIDs(raw []byte, f *ReplyField) string {
	entries, _ := readList(raw, Object, f.Fields)
	seen := map[any]bool{}
	for _, e := range entries.([]any) {
		id := e.(map[string]any)["userID"]
		switch {
		case id == "":
			return "an entry has no userID, and IMServer would fail"
		case seen[id]:
			return "two entries have the same userID"
		}
		seen[id] = true
	}
	return ""
}
