package openim

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// documentedText is the content type of a text message in the public documentation's examples.
// No server sends it, but people try things out with those examples.
const documentedText = 1

// Text returns the readable text of the message: the text inside content for the content types
// that have one (Text, MarkdownText, AtText, Quote, AdvancedText), content itself when it is bare
// text of such a type, else "". Kept like Value.
func (c *Callback) Text() string { return c.TextValue().(string) }

// TextValue is Text as Value would return it: boxed once.
func (c *Callback) TextValue() any {
	if c.text == nil {
		c.text = c.readText()
	}
	return c.text
}

// Data returns content decoded as JSON (Any), nil when it is none. Kept like Value.
func (c *Callback) Data() any {
	if !c.hasData {
		c.data, _ = readAny(c.content())
		c.hasData = true
	}
	return c.data
}

// content returns the characters of the body's content, none when it is not a string.
func (c *Callback) content() []byte {
	raw, _ := c.Raw("content")
	if len(raw) == 0 || raw[0] != '"' {
		return nil
	}
	return unquoted(raw)
}

func (c *Callback) readText() string {
	member := textMember(c.Value("contentType", Int).(int))
	if member == "" {
		return ""
	}
	content := c.content()
	text, isObject := memberText(content, member)
	if !isObject {
		return string(content)
	}
	return text
}

// textMember names the member of content that is the readable text of a type, "" for types that have none.
func textMember(contentType int) string {
	switch contentType {
	case contentText, contentMarkdownText, documentedText:
		return "content"
	case contentAtText, contentQuote, contentAdvancedText:
		return "text"
	default:
		return ""
	}
}

// ContentWithText returns the content of a message that says text, as JSON within a string has it, and whether messages of the
// type have readable text.
func ContentWithText(contentType int, text string) (content string, ok bool) {
	member := textMember(contentType)
	if member == "" {
		return "", false
	}
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil { // no UTF-8
		return "", false
	}
	return `{"` + member + `":` + string(quoted) + "}", true
}

// memberText returns a string member of a JSON object, "" when it has none of that name, and
// whether the text is one JSON object.
func memberText(object []byte, name string) (text string, isObject bool) {
	if object = bytes.TrimSpace(object); len(object) == 0 || object[0] != '{' {
		return "", false
	}
	s := scan(object, lenient...)
	defer s.release()
	if s.open() != nil {
		return "", false
	}
	for s.more() {
		member, value, err := s.member()
		if err != nil {
			return "", false
		}
		if string(member) == name && value[0] == '"' {
			text = string(unquoted(value))
		}
	}
	return text, s.dec.InputOffset() == int64(len(object))
}
