package when

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"callboard/openim"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/types"
)

// A schema is what conditions of rules for one set of commands may name, with its types.
type schema struct {
	commands []*openim.Command // nil: every command, and unknown ones
	fields   map[string]openim.Field
	disputed map[string]string // field that the commands type differently → who calls it what
	types    types.Map         // of fields, values and constants
	configs  sync.Pool         // of *conf.Config: costly to make, not for concurrent use
}

// A value is what conditions can read beside the callback's fields.
type value struct {
	Doc
	typ types.Type
}

var valueList = []value{
	{Doc{"command", `command == "beforeSendGroupMsg"`, "The callback's wire name of today; compared with == or in it equals short and older names, too."}, types.String},
	{Doc{"source", `source == "prod"`, "The part of the path before the command, which tells several IMServers apart."}, types.String},
	{Doc{"headers", `headers["x-real-ip"]`, "The first value of each request header; names in any case."}, types.TypeOf(map[string]string{})},
	{Doc{"query", `query.key`, "The first value of each query parameter."}, types.TypeOf(map[string]string{})},
	{Doc{"text", `text contains "refund"`, "The readable text of a message, empty when its content type has none."}, types.String},
	{Doc{"data", `data.level == 3`, "The field content decoded as JSON, nil when it is none; members that are missing are nil."}, types.Any},
	{Doc{"raw", `raw.keyVersion == 2`, "Every field of the body, whether the catalogue knows it or not; members that are missing are nil."}, types.TypeOf(map[string]any{})},
	{Doc{"now", `now > date("2026-01-31")`, "When the callback came, in UTC; the same for all rules."}, types.TypeOf(time.Time{})},
}

var values = indexed(valueList, func(v value) string { return v.Name })

// Values returns what conditions can read beside fields and constants.
func Values() []Doc {
	var docs []Doc
	for _, v := range valueList {
		docs = append(docs, v.Doc)
	}
	return docs
}

// constants maps names to the numbers and texts they stand for.
var constants = sync.OnceValue(func() map[string]any {
	byName := map[string]any{}
	for _, c := range openim.Constants() {
		byName[c.Name] = c.Value
	}
	return byName
})

var schemas sync.Map // names of commands, sorted → *schema

// schemaFor returns the schema of a set of commands; nil stands for all and unknown ones.
func schemaFor(commands []*openim.Command) *schema {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.Name
	}
	slices.Sort(names)
	names = slices.Compact(names)
	key := strings.Join(names, " ")
	if s, ok := schemas.Load(key); ok {
		return s.(*schema)
	}
	s, _ := schemas.LoadOrStore(key, newSchema(names))
	return s.(*schema)
}

func newSchema(names []string) *schema {
	s := &schema{fields: map[string]openim.Field{}, disputed: map[string]string{}, types: types.Map{}}
	for _, name := range names {
		if c, ok := openim.Lookup(name); ok {
			s.commands = append(s.commands, c)
		}
	}
	for name, carriers := range carriersOf(s.scope()) {
		first, _ := carriers[0].Field(name)
		agree := !slices.ContainsFunc(carriers, func(c *openim.Command) bool {
			f, _ := c.Field(name)
			return !sameType(*first, *f)
		})
		if !agree {
			s.disputed[name] = disputeOver(name, carriers)
			continue
		}
		s.fields[name] = *first
		s.types[name] = fieldType(*first)
	}
	for name, value := range constants() {
		s.types[name] = types.TypeOf(value)
	}
	for _, v := range valueList {
		s.types[v.Name] = v.typ
	}
	s.configs.New = func() any { return s.newConfig() }
	return s
}

// newConfig returns what expr's parser, checker and compiler go by.
func (s *schema) newConfig() *conf.Config {
	c := conf.CreateNew()
	expr.Env(s.types)(c)
	expr.MaxNodes(0)(c) // limits.go counts, and knows lists of literals
	for _, f := range functions {
		expr.Function(f.Name, neverCalled, f.signature)(c)
	}
	return c
}

// neverCalled stands in for helpers while types are checked: desugar and lower replace each call.
func neverCalled(...any) (any, error) { return nil, fmt.Errorf("this helper was not compiled") }

// scope returns the commands that the schema is for.
func (s *schema) scope() []*openim.Command {
	if s.commands == nil {
		return openim.Commands()
	}
	return s.commands
}

// subject names the commands for messages.
func (s *schema) subject() string {
	if s.commands == nil {
		return "every callback"
	}
	return commandList(s.commands)
}

// fieldNames returns the usable fields, sorted.
func (s *schema) fieldNames() []string {
	return sortedKeys(s.fields)
}

// carriersOf maps each field to the commands among cs that carry it.
func carriersOf(cs []*openim.Command) map[string][]*openim.Command {
	carriers := map[string][]*openim.Command{}
	for _, c := range cs {
		for _, f := range c.Request {
			carriers[f.Name] = append(carriers[f.Name], c)
		}
	}
	return carriers
}

// allCarriers is carriersOf the whole catalogue.
var allCarriers = sync.OnceValue(func() map[string][]*openim.Command { return carriersOf(openim.Commands()) })

func sameType(a, b openim.Field) bool {
	return a.Kind == b.Kind && slices.EqualFunc(a.Fields, b.Fields, func(x, y openim.Field) bool {
		return x.Name == y.Name && sameType(x, y)
	})
}

func disputeOver(name string, carriers []*openim.Command) string {
	byKind := map[string][]*openim.Command{}
	for _, c := range carriers {
		f, _ := c.Field(name)
		byKind[f.Kind.String()] = append(byKind[f.Kind.String()], c)
	}
	var camps []string
	for _, kind := range sortedKeys(byKind) {
		camps = append(camps, fmt.Sprintf("%s for %s", kind, commandList(byKind[kind])))
	}
	return strings.Join(camps, ", ")
}

// fieldType is the type that expr checks a field's uses by. Lists are []any at run time whatever
// their elements, so that reading one allocates nothing.
func fieldType(f openim.Field) types.Type {
	switch f.Kind {
	case openim.String:
		return types.String
	case openim.Int:
		return types.Int
	case openim.Bool:
		return types.Bool
	case openim.Strings:
		return types.Array(types.String)
	case openim.Ints:
		return types.Array(types.Int)
	case openim.Object:
		return memberTypes(f)
	case openim.Objects:
		return types.Array(memberTypes(f))
	case openim.Bools:
		return types.TypeOf(map[string]bool{})
	default:
		return types.Any
	}
}

func memberTypes(f openim.Field) types.Type {
	members := types.Map{}
	for _, m := range f.Fields {
		members[m.Name] = fieldType(m)
	}
	return members
}

var (
	boolType   = reflect.TypeFor[bool]()
	intType    = reflect.TypeFor[int]()
	stringType = reflect.TypeFor[string]()
	floatType  = reflect.TypeFor[float64]()
	anyType    = reflect.TypeFor[any]()
)
