package peers

import (
	"fmt"
	"regexp"
	"strconv"

	"cel.dev/cel-go/cel"

	"callboard/internal/manyrules"
	"callboard/openim"
)

// A celTable is rules as CEL programs, by command as Callboard would scan them.
type celTable map[*openim.Command][]celRule

type celRule struct {
	name    string
	program cel.Program
}

// newCELTable compiles the rules of a set.
func newCELTable(set *manyrules.Set) (celTable, error) {
	env, err := cel.NewEnv(
		cel.Variable("groupID", cel.StringType), cel.Variable("text", cel.StringType),
		cel.Variable("contentType", cel.IntType), cel.Variable("senderPlatformID", cel.IntType), cel.Variable("msgFrom", cel.IntType),
		cel.Variable("atUserList", cel.ListType(cel.StringType)),
	)
	if err != nil {
		return nil, err
	}
	table := celTable{}
	for _, r := range set.Rules {
		checked, issues := env.Compile(asCEL(r.When))
		if issues.Err() != nil {
			return nil, fmt.Errorf("%s: %w", r.When, issues.Err())
		}
		program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.When, err)
		}
		for _, name := range r.Callbacks {
			command, _ := openim.Lookup(name)
			table[command] = append(table[command], celRule{r.Name, program})
		}
	}
	return table, nil
}

// match returns the names of the rules that match.
func (t celTable) match(cb *openim.Callback) ([]string, error) {
	var names []string
	values := map[string]any{
		"groupID": cb.Value("groupID", openim.String), "text": cb.Text(), "contentType": cb.Value("contentType", openim.Int),
		"senderPlatformID": cb.Value("senderPlatformID", openim.Int), "msgFrom": cb.Value("msgFrom", openim.Int),
		"atUserList": cb.Value("atUserList", openim.Strings),
	}
	for _, r := range t[cb.Command] {
		result, _, err := r.program.Eval(values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		if result.Value() == true {
			names = append(names, r.name)
		}
	}
	return names, nil
}

var (
	containing = regexp.MustCompile(`text contains ("[^"]*")`)
	matching   = regexp.MustCompile(`text matches ("[^"]*")`)
	mentioning = regexp.MustCompile(`mentions\(("[^"]*")\)`)
	measuring  = regexp.MustCompile(`\blen\(`)
	quoted     = regexp.MustCompile(`"[^"]*"|\b[A-Z]\w*\b`)
)

// asCEL writes a condition of a manyrules.Set in CEL.
func asCEL(when string) string {
	when = quoted.ReplaceAllStringFunc(when, constant)
	when = containing.ReplaceAllString(when, "text.contains($1)")
	when = matching.ReplaceAllString(when, "text.matches($1)")
	when = mentioning.ReplaceAllString(when, "($1 in atUserList)")
	return measuring.ReplaceAllString(when, "size(")
}

// constant returns the number that a name stands for; what is quoted stays.
func constant(word string) string {
	for _, c := range openim.Constants() {
		if n, ok := any(c.Value).(int); ok && c.Name == word {
			return strconv.Itoa(n)
		}
	}
	return word
}
