package openim

import "bytes"

// eachMember calls found with each member of a JSON object: its name with quotes, and its value. The text
// must be one valid object, as a Decoder's ReadValue returns it: validating a body in one piece and finding
// its members afterwards takes half the time of asking the decoder for each.
func eachMember(object []byte, found func(quoted, raw []byte) error) error {
	i := skipSpace(object, 1)
	for object[i] != '}' {
		end := endOfString(object, i)
		quoted := object[i:end:end]
		i = skipSpace(object, end) // the colon
		i = skipSpace(object, i+1) // the value
		end = endOfValue(object, i)
		if err := found(quoted, object[i:end:end]); err != nil {
			return err
		}
		if i = skipSpace(object, end); object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
	return nil
}

func skipSpace(text []byte, i int) int {
	for text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r' {
		i++
	}
	return i
}

// endOfString returns the place behind the closing quote of the string that begins at i.
func endOfString(text []byte, i int) int {
	for i++; ; {
		i += bytes.IndexByte(text[i:], '"')
		backslashes := 0
		for text[i-1-backslashes] == '\\' {
			backslashes++
		}
		i++
		if backslashes%2 == 0 {
			return i
		}
	}
}

func endOfValue(text []byte, i int) int {
	switch text[i] {
	case '"':
		return endOfString(text, i)
	case '{', '[':
		return endOfNested(text, i)
	}
	for {
		switch text[i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
}

func endOfNested(text []byte, i int) int {
	for depth := 0; ; {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			return i
		}
	}
}
