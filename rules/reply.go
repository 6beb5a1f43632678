package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"callboard/internal/diag"
	"callboard/openim"
)

// A replyDraft is a reply while its file is read.
type replyDraft struct {
	Reply
	given    map[string]place // allow, refuse, fields
	fields   []pair           // of fields
	refusing map[string]place // keys of refuse
}

var replyKeys = keys[replyDraft]{
	what: "a reply",
	known: []key[replyDraft]{
		{"allow", (*decoder).allow},
		{"refuse", func(d *decoder, n *node, r *replyDraft) {
			r.Refuse = true
			r.refusing, _ = readMapping(d, n, refuseKeys, r)
		}},
		{"fields", func(d *decoder, n *node, r *replyDraft) { r.fields, _ = d.freePairs(n, "fields") }},
	},
}

var refuseKeys = keys[replyDraft]{
	what: "refuse",
	known: []key[replyDraft]{
		{"code", (*decoder).refusalCode},
		{"message", func(d *decoder, n *node, r *replyDraft) { d.nonEmpty(n, "message", &r.Message) }},
		{"detail", func(d *decoder, n *node, r *replyDraft) { r.Detail, _ = d.scalar(n, "detail") }},
	},
}

const replyHint = "reply: allow, reply: {refuse: {code: 20403, message: …}}, or reply: {fields: {…}}"

func (d *decoder) reply(n *node, r *ruleDraft) {
	n = d.resolve(n)
	if n.kind == scalarNode {
		if n.text != "allow" {
			d.fail(d.place(n), idUnknownWord, replyHint, "reply cannot be %q", n.text)
			return
		}
		r.Reply = &r.reply.Reply
		return
	}
	given, ok := readMapping(d, n, replyKeys, &r.reply)
	if !ok {
		return
	}
	r.Reply, r.reply.given = &r.reply.Reply, given
	if len(given) == 0 {
		d.fail(d.place(n), idMissingKey, replyHint, "reply says nothing")
	}
	if at, refuse := given["refuse"]; refuse && len(given) > 1 {
		d.fail(at, idReplyField, "only an allowed callback can be changed", "a refusal cannot stand beside allow or fields")
	}
}

func (d *decoder) allow(n *node, _ *replyDraft) {
	if n.kind != mappingNode || len(n.pairs) > 0 {
		d.fail(d.place(n), idWrongType, "as in `reply: allow`; fields stand beside it", "allow takes nothing: {}")
	}
}

// refusalCode reads the code that clients are told.
func (d *decoder) refusalCode(n *node, r *replyDraft) {
	code := int64(openim.DefaultRefusalCode)
	d.integer(n, "code", math.MinInt64, math.MaxInt64, &code)
	if code < 100 || code > math.MaxInt32 {
		d.fail(d.place(n), idRefusalCode, fmt.Sprintf("codes from 20001 to 29999 are yours; without code it is %d", openim.DefaultRefusalCode),
			"a refusal code must be from 100 to %d: IMServer reads other numbers as success or as a fault of its own", math.MaxInt32)
	}
	r.Code = int32(code)
}

// checkReply finds replies that IMServer would not understand or not heed.
func (d *decoder) checkReply(r *ruleDraft) {
	if r.Reply == nil {
		return
	}
	if r.Reply.Refuse {
		d.checkRefusal(r)
	}
	for _, p := range r.reply.fields {
		d.replyField(p, r)
	}
}

func (d *decoder) checkRefusal(r *ruleDraft) {
	at := r.reply.given["refuse"]
	if r.Reply.Code == 0 {
		r.Reply.Code = openim.DefaultRefusalCode
	}
	if _, given := r.reply.refusing["message"]; !given && r.reply.refusing != nil {
		d.warn(at, idMessageMissing, "say what the user may do", "a refusal without a message: clients show the message to the user")
	}
	switch before, after := r.phases(); {
	case !before:
		d.fail(at, idNothingToRefuse, "refuse the before callback of the same action", "nothing can be refused here: %s reports what has happened", strings.Join(shortNames(r.Callbacks), ", "))
	case after:
		d.warn(at, idNothingToRefuse, "", "after callbacks report what has happened: of them, nothing can be refused")
	}
	if r.Await != nil {
		d.warn(r.has["await"], idAwaitIdle, "give the refusal a rule of its own", "sinks are asked in vain: this rule refuses whatever they say")
	}
}

func shortNames(commands []*openim.Command) []string {
	var names []string
	for _, c := range commands {
		names = append(names, c.Short)
	}
	return names
}

// replyField checks a field against the catalogue's word for each of the rule's callbacks.
func (d *decoder) replyField(p pair, r *ruleDraft) {
	name, at := p.key.text, d.place(p.key)
	commands := r.Callbacks
	if len(commands) == 0 && len(r.Unknown) == 0 {
		commands = openim.Commands()
	}
	var raw []byte
	var without, ignoring, names []string
	carried := 0
	for _, c := range commands {
		field, ok := c.ReplyField(name)
		if !ok {
			without = append(without, c.Short)
			for _, f := range c.Reply {
				names = append(names, f.Name)
			}
			continue
		}
		carried++
		if field.Effect == openim.Ignored {
			ignoring = append(ignoring, c.Short)
		}
		value, ok := d.fieldValue(p.value, &field.Field, name, 0)
		if !ok {
			return
		}
		if raw == nil {
			raw = value
		}
	}
	switch {
	case carried == 0:
		d.fail(at, idReplyField, replyFieldHint(name, names), "no callback of this rule has a reply field %q", name)
		return
	case len(ignoring) == carried:
		d.warn(at, idReplyIdle, "", "IMServer ignores the reply field %s of %s", name, strings.Join(ignoring, ", "))
	case len(without) > 0 && len(r.Callbacks) > 0:
		d.warn(at, idReplyIdle, "", "%s has no effect on %s", name, strings.Join(without, ", "))
	}
	r.Reply.Fields = append(r.Reply.Fields, openim.FieldValue{Name: name, Raw: raw})
}

func replyFieldHint(name string, names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	switch near := diag.Nearest(name, names); {
	case near != "":
		return fmt.Sprintf("did you mean %q?", near)
	case len(names) == 0:
		return "IMServer applies no reply fields there"
	case len(names) > 30:
		return "`callboard commands` lists the reply fields of each callback"
	default:
		return "reply fields: " + strings.Join(names, ", ")
	}
}
