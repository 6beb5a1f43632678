package rules

import (
	"regexp"

	"github.com/invopop/jsonschema"

	"callboard/openim"
)

// The types of single values. Each may be a reference to an environment variable or a file.
type (
	schemaDuration  string
	schemaBytes     string
	schemaBool      bool
	schemaDialect   string
	schemaVote      string
	schemaMerge     string
	schemaOnError   string
	schemaCondition string
	schemaKey       string
	schemaRate      string
	schemaOnStuck   string
	schemaSuccess   string
	schemaDate      string
	schemaUnowned   string

	schemaBatchFormat string
	schemaBatchItem   string
)

func aReference() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: regexp.QuoteMeta("${")}
}

func orReference(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, aReference()}}
}

func oneOfWords(words []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func (schemaDuration) JSONSchema() *jsonschema.Schema {
	return orReference(&jsonschema.Schema{Type: "string", Pattern: `^([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+$`})
}

func (schemaBytes) JSONSchema() *jsonschema.Schema {
	return orReference(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "integer", Minimum: "1"},
		{Type: "string", Pattern: "^[0-9]+ *(B|KB|MB|GB|KiB|MiB|GiB)?$"},
	}})
}

func (schemaDate) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
}

func (schemaBool) JSONSchema() *jsonschema.Schema {
	return orReference(&jsonschema.Schema{Type: "boolean"})
}
func (schemaDialect) JSONSchema() *jsonschema.Schema { return orReference(oneOfWords(dialectWords)) }
func (schemaBatchFormat) JSONSchema() *jsonschema.Schema {
	return orReference(oneOfWords(formatWords))
}
func (schemaBatchItem) JSONSchema() *jsonschema.Schema { return orReference(oneOfWords(itemWords)) }
func (schemaVote) JSONSchema() *jsonschema.Schema      { return orReference(oneOfWords(voteWords)) }
func (schemaMerge) JSONSchema() *jsonschema.Schema     { return orReference(oneOfWords(mergeWords)) }
func (schemaOnError) JSONSchema() *jsonschema.Schema   { return orReference(oneOfWords(onErrorWords)) }

func (schemaOnStuck) JSONSchema() *jsonschema.Schema { return orReference(oneOfWords(onStuckWords)) }
func (schemaSuccess) JSONSchema() *jsonschema.Schema { return orReference(oneOfWords(successWords)) }
func (schemaKey) JSONSchema() *jsonschema.Schema     { return &jsonschema.Schema{Type: "string"} }

func (schemaRate) JSONSchema() *jsonschema.Schema {
	return orReference(&jsonschema.Schema{Type: "string", Pattern: rateText.String()})
}

// A condition may be a bare true or false.
func (schemaCondition) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "boolean"}}}
}

// What can be written in more ways than one.
type (
	schemaNames     []string
	schemaNotify    []string
	schemaCallbacks []string
	schemaPolicy    struct{ schemaPolicyParts }
	schemaOnFailure map[string]schemaVote
	schemaReply     struct{ schemaReplyParts }
	schemaBreaker   struct{ schemaBreakerParts }
	schemaBatch     struct{ schemaBatchParts }
	schemaDedup     struct{ schemaDedupParts }
	schemaCache     struct{ schemaCacheParts }
	schemaSecrets   []string
	schemaPowers    []string
)

func oneOrMore(item *jsonschema.Schema) *jsonschema.Schema {
	one := uint64(1)
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{item, {Type: "array", Items: item, MinItems: &one}}}
}

func (schemaNames) JSONSchema() *jsonschema.Schema {
	return oneOrMore(&jsonschema.Schema{Type: "string"})
}

// A rule may say that it notifies none of those that defaults name.
func (schemaNotify) JSONSchema() *jsonschema.Schema {
	s := schemaNames{}.JSONSchema()
	s.AnyOf[1].MinItems = nil
	return s
}

func (schemaCallbacks) JSONSchema() *jsonschema.Schema {
	names := &jsonschema.Schema{Type: "string", Enum: []any{"*"}}
	for _, c := range openim.Commands() {
		names.Enum = append(names.Enum, c.Short)
	}
	wire := &jsonschema.Schema{Type: "string", Pattern: "^callback."}
	s := oneOrMore(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{names, wire}})
	s.AnyOf[1].Items = &jsonschema.Schema{Ref: "#/$defs/callbacks/anyOf/0"} // the list of names once is enough
	return s
}

func (schemaUnowned) JSONSchema() *jsonschema.Schema { return oneOfWords(unownedWords) }

func (schemaPowers) JSONSchema() *jsonschema.Schema {
	s := oneOrMore(oneOfWords(powerWords))
	s.AnyOf[1].MinItems = nil
	return s
}

func (schemaSecrets) JSONSchema() *jsonschema.Schema {
	s := oneOrMore(&jsonschema.Schema{Type: "string"})
	two := uint64(2)
	s.AnyOf[1].MaxItems = &two
	return s
}

func (schemaDedup) JSONSchemaExtend(s *jsonschema.Schema) {
	mapping := *s
	*s = jsonschema.Schema{AnyOf: []*jsonschema.Schema{schemaDuration("").JSONSchema(), &mapping}}
	extended(&mapping)
}

func (schemaBreaker) JSONSchemaExtend(s *jsonschema.Schema)   { extended(s); orWord(s, breakerWords) }
func (schemaCache) JSONSchemaExtend(s *jsonschema.Schema)     { extended(s); orWord(s, cacheWords) }
func (schemaBatch) JSONSchemaExtend(s *jsonschema.Schema)     { extended(s); orWord(s, batchWords) }
func (schemaPolicy) JSONSchemaExtend(s *jsonschema.Schema)    { extended(s); orWord(s, policyWords) }
func (schemaReply) JSONSchemaExtend(s *jsonschema.Schema)     { extended(s); orWord(s, []string{"allow"}) }
func (schemaOnFailure) JSONSchemaExtend(s *jsonschema.Schema) { orWord(s, voteWords) }

// orWord turns the schema of a mapping into one that takes a word as well.
func orWord(s *jsonschema.Schema, words []string) {
	mapping := *s
	*s = jsonschema.Schema{AnyOf: []*jsonschema.Schema{oneOfWords(words), aReference(), &mapping}}
}
