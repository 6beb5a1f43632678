package manyrules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"callboard/openim"
)

// A Body is a callback as IMServer sends it.
type Body struct {
	Command *openim.Command
	Data    []byte
}

// Bodies makes n callbacks of the commands that the rules are for. About every second one is of a group that rules may
// name, one in five mentions somebody, one in five has a word that rules look for.
func (s *Set) Bodies(n int) []Body {
	m := maker{Rand: rand.New(rand.NewPCG(s.seed, 1<<32|uint64(s.Mix))), n: len(s.Rules)}
	bodies := make([]Body, n)
	for i := range bodies {
		name := pick(m, []string{"beforeSendGroupMsg", "beforeSendGroupMsg", "afterSendGroupMsg", "beforeSendSingleMsg", "afterSendSingleMsg"})
		command, _ := openim.Lookup(name)
		bodies[i] = Body{command, m.body(command)}
	}
	return bodies
}

// constants maps the names that conditions use to what the wire has.
var constants = sync.OnceValue(func() map[string]int {
	values := map[string]int{}
	for _, c := range openim.Constants() {
		values[c.Name] = c.Value
	}
	return values
})

func (m maker) body(c *openim.Command) []byte {
	values := map[string]any{
		"sendID":           m.user(),
		"groupID":          m.group(),
		"contentType":      constants()[pick(m, contentTypes)],
		"senderPlatformID": constants()[pick(m, platforms)],
		"msgFrom":          pick(m, []int{100, 200}),
		"serverMsgID":      fmt.Sprintf("%016x%016x", m.Uint64(), m.Uint64()),
		"clientMsgID":      fmt.Sprintf("%016x%016x", m.Uint64(), m.Uint64()),
		"operationID":      fmt.Sprint(1767225600000 + m.Int64N(1e9)),
		"sendTime":         1767225600000 + m.Int64N(1e9),
		"content":          m.content(),
	}
	if m.percent(50) {
		values["groupID"] = fmt.Sprintf("other-%d", m.IntN(m.n))
	}
	if m.percent(20) {
		users := make([]string, 1+m.IntN(3))
		for i := range users {
			users[i] = m.user()
		}
		values["atUserList"] = users
	}
	return replaced(openim.Sample(c), values)
}

// words are what texts are made of.
var words = strings.Fields(`good morning is the refund on its way thank you we will look into that order number please wait a
moment where can I find my invoice it says delivered but nothing came who is on call tonight let us meet at noon
the meeting moved to Friday photos from yesterday happy birthday see you later no problem`)

func (m maker) content() string {
	text := make([]string, 4+m.IntN(40))
	for i := range text {
		text[i] = pick(m, words)
	}
	if m.percent(20) {
		text[m.IntN(len(text))] = m.keyword()
	}
	return string(encoded(map[string]string{"content": strings.Join(text, " ")}))
}

// replaced puts values into an object's members of the same names; others stay, and so does their order.
func replaced(object []byte, values map[string]any) []byte {
	d := json.NewDecoder(bytes.NewReader(object))
	b := []byte{'{'}
	_, err := d.Token()
	for err == nil && d.More() {
		var name any
		if name, err = d.Token(); err != nil {
			break
		}
		var raw json.RawMessage
		if err = d.Decode(&raw); err != nil {
			break
		}
		if v, ok := values[name.(string)]; ok {
			raw = encoded(v)
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, encoded(name)...), ':'), raw...)
	}
	if err != nil {
		panic(err) // the catalogue's samples are objects
	}
	return append(b, '}')
}

func encoded(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
