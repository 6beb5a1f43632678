package openim

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// DefaultRefusalCode replaces refusal codes below 100, which IMServer turns into success or into
// an internal error. (Codes beyond 32 bits do not get this far: ReadAnswer leaves them out.)
const DefaultRefusalCode = 20001

// DefaultRefusalMessage replaces an empty message of a refusal, which clients would show.
const DefaultRefusalMessage = "refused"

// A Verdict is the one decision about a callback.
type Verdict struct {
	Refuse  bool         // of an after-callback: its policy was not met
	Code    int32        // of a refusal; see DefaultRefusalCode
	Message string       // of a refusal; see DefaultRefusalMessage
	Detail  string       // of a refusal, for developers
	Fields  []FieldValue // merged reply fields of an allow, checked with CheckField
}

// The common five fields of an allow: IMServer proceeds on every version.
const allow = `{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0`

// AppendReply appends the reply to cb, one JSON object with the right types whatever the verdict
// holds, as the IMServer version understands it. A nil cb (a request that did not decode) gets the
// common five fields. An allow of the two before-set-group-info commands echoes the request;
// the verdict's fields come first. Of a field given twice, the last counts.
//
// A refusal of a before-callback is actionCode 0 with nextCode 1 and a code of at least 100. It
// refuses on v3.7 and later, and also on v3.5 (by its nextCode) and v3.0 (by its errCode), so that
// those versions get the same reply and keep refusing when the server is upgraded. v3.6 only logs
// refusals, whatever they look like. For v2 alone actionCode is 1, which v3.7 would let pass.
//
// An after-callback can refuse nothing: actionCode 1 reports that its policy was not met, nextCode
// stays 0.
func AppendReply(dst []byte, cb *Callback, v Verdict, version Version) []byte {
	switch {
	case !v.Refuse:
		return appendAllow(dst, cb, v.Fields)
	case cb != nil && cb.Phase() == After:
		return appendRefusal(dst, v, 1, 0)
	case version == V2:
		return appendRefusal(dst, v, 1, 1)
	default:
		return appendRefusal(dst, v, 0, 1)
	}
}

func appendRefusal(dst []byte, v Verdict, actionCode, nextCode byte) []byte {
	if v.Code < 100 {
		v.Code = DefaultRefusalCode
	}
	if v.Message == "" {
		v.Message = DefaultRefusalMessage
	}
	dst = append(dst, `{"actionCode":`...)
	dst = append(dst, '0'+actionCode)
	dst = append(dst, `,"errCode":`...)
	dst = strconv.AppendInt(dst, int64(v.Code), 10)
	dst = append(dst, `,"errMsg":`...)
	dst = appendQuoted(dst, v.Message)
	dst = append(dst, `,"errDlt":`...)
	dst = appendQuoted(dst, v.Detail)
	dst = append(dst, `,"nextCode":`...)
	return append(dst, '0'+nextCode, '}')
}

func appendAllow(dst []byte, cb *Callback, set []FieldValue) []byte {
	dst = append(dst, allow...)
	if cb != nil && cb.Command != nil {
		checked := checkAll(cb, set)
		for _, f := range checked {
			dst = appendMember(dst, f.Name, f.Raw)
		}
		for i := range cb.Command.Reply {
			f := &cb.Command.Reply[i]
			if f.Effect == Always && valueOf(checked, f.Name) == nil {
				dst = appendEcho(dst, cb, f)
			}
		}
	}
	return append(dst, '}')
}

// checkAll checks fields once more, whoever checked them before, and keeps the last of each name.
func checkAll(cb *Callback, set []FieldValue) []FieldValue {
	var checked []FieldValue
	for _, f := range set {
		f, reason := CheckField(cb, f)
		if reason != "" {
			continue
		}
		if earlier := valueOf(checked, f.Name); earlier != nil {
			*earlier = f
			continue
		}
		checked = append(checked, f)
	}
	return checked
}

func valueOf(set []FieldValue, name string) *FieldValue {
	for i := range set {
		if set[i].Name == name {
			return &set[i]
		}
	}
	return nil
}

// appendEcho appends the request's own value of a field, null and wrapping included, for IMServer
// to put in place of itself. A value of a wrong type is left out: no server sends one.
func appendEcho(dst []byte, cb *Callback, f *ReplyField) []byte {
	raw, ok := cb.Raw(f.Name)
	if !ok {
		return dst
	}
	if raw[0] == 'n' {
		if f.Nullable {
			dst = appendMember(dst, f.Name, raw)
		}
		return dst
	}
	converted, reason := convert(raw, &f.Field)
	if reason != "" {
		return dst
	}
	if raw[0] == '{' && f.Nullable { // {"value": x}: this version wants it back as it sent it
		converted = append(append([]byte(`{"value":`), converted...), '}')
	}
	return appendMember(dst, f.Name, converted)
}

func appendMember(dst []byte, name string, raw []byte) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return append(dst, raw...)
}

// appendQuoted appends a JSON string; what is no UTF-8 becomes U+FFFD.
func appendQuoted[text string | []byte](dst []byte, s text) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // an error only tells of replaced bytes
	return dst
}
