package when

import (
	"errors"
	"fmt"
	"time"

	"callboard/openim"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// ErrBudget is wrapped by the error of an evaluation that was ended because it, or all for one
// callback together, took too many steps.
var ErrBudget = errors.New("out of steps")

var (
	errEvaluation = fmt.Errorf("the expression takes more than %d steps for this callback: %w", evaluationSteps, ErrBudget)
	errCallback   = fmt.Errorf("the expressions take more than %d steps together for this callback: %w", callbackSteps, ErrBudget)
)

// A Scope is one callback as conditions and keys see it: pooled, for one goroutine. It has a budget of
// steps for each evaluation and for all together.
type Scope struct {
	plan      *plan
	cb        *openim.Callback
	now       time.Time
	variables map[string]any // what programs run on: fields by key, and the functions below
	longest   int            // bytes of a text that is seen whole
	spoilt    bool           // holds fields that the next callback would not replace
	machine   vm.VM

	left  int // steps of this evaluation
	total int // steps of all
	notes []string

	made    [lazyValues]any // values made on demand, nil: not yet
	decoded struct {        // the last argument and result of json
		text  string
		value any
	}
}

// Values that are made for a callback when a condition first reads them.
const (
	lazySource = iota
	lazyHeaders
	lazyQuery
	lazyText
	lazyData
	lazyRaw
	lazyNow
	lazyValues
)

func newScope(p *plan) *Scope {
	s := &Scope{plan: p, variables: map[string]any{}}
	s.machine.MemoryBudget = memoryBudget
	lazy := func(i int, value func() any) func() any {
		return func() any {
			if s.made[i] == nil {
				s.made[i] = value()
			}
			return s.made[i]
		}
	}
	for name, fn := range map[string]any{
		"__source":  lazy(lazySource, func() any { return s.cutString("source", s.cb.Source) }),
		"__headers": lazy(lazyHeaders, func() any { return s.headers() }),
		"__query":   lazy(lazyQuery, func() any { return s.query() }),
		"__text":    lazy(lazyText, func() any { return s.cut("text", s.cb.TextValue()) }),
		"__data":    lazy(lazyData, func() any { return s.cut("data", s.cb.Data()) }),
		"__raw":     lazy(lazyRaw, func() any { return s.cb.Fields() }),
		"__now":     lazy(lazyNow, func() any { return s.now }),
		"__step":    func(weight any) bool { s.spend(weight.(int)); return true },
		"__charge":  s.charge,
		"__in":      s.in,
		"__member":  s.member,
		"__has":     s.has,
		"__json":    s.json,
	} {
		s.variables[name] = fn
	}
	return s
}

// Eval evaluates a condition given to NewEnv. An error means that it failed or ran out of its
// budget; the result is then false. Errors name types, never values of the callback.
func (s *Scope) Eval(c *Cond) (bool, error) {
	v, err := s.run(c.program)
	if err != nil {
		return false, err
	}
	matched, _ := v.(bool)
	return matched, nil
}

func (s *Scope) run(program *vm.Program) (any, error) {
	allowed := min(evaluationSteps, s.total)
	s.left = allowed
	v, err := s.machine.Run(program, s.variables)
	s.total -= allowed - max(s.left, 0)
	if err != nil {
		return nil, readableError(err)
	}
	return v, nil
}

// spend takes steps off the budget and ends the evaluation when there are none left. The virtual
// machine turns the panic into its error.
func (s *Scope) spend(steps int) {
	if s.left -= steps; s.left >= 0 {
		return
	}
	if s.total < evaluationSteps {
		panic(errCallback)
	}
	panic(errEvaluation)
}

// readableError takes the source and the words of the virtual machine out of an error.
func readableError(err error) error {
	var conversion *conversionError
	if errors.Is(err, ErrBudget) || errors.As(err, &conversion) {
		return errors.Unwrap(err)
	}
	var fe *file.Error
	if !errors.As(err, &fe) {
		return err
	}
	return fmt.Errorf("evaluating column %d: %s", fe.Column+1, plainWords(fe.Message))
}

// Notes lists what was cut for this callback (long lists, long texts), for the trace.
func (s *Scope) Notes() []string { return s.notes }

// Release gives the Scope back. It must not be used afterwards.
func (s *Scope) Release() {
	if s.spoilt || len(s.cb.Body) > keptBody { // a body is kept alive by the texts in it
		return
	}
	s.cb, s.notes = nil, nil
	clear(s.made[:])
	s.decoded.text, s.decoded.value = "", nil
	s.plan.pool.Put(s)
}

// charge spends what passing over a value costs, weight times, and returns it.
func (s *Scope) charge(v, weight any) any {
	s.spend(s.extent(v) * weight.(int) / bytesPerStep)
	return v
}

// extent is about how many bytes a value has.
func (s *Scope) extent(v any) int {
	const perEntry = 16
	switch v := v.(type) {
	case string:
		return len(v)
	case []string: // of split
		total := len(v) * perEntry
		for _, e := range v {
			total += len(e)
		}
		return total
	case []any:
		total := len(v) * perEntry
		for _, e := range v {
			switch e := e.(type) {
			case string:
				total += len(e)
			case []any, map[string]any:
				return total + len(s.cb.Body)
			}
		}
		return total
	case map[string]any:
		return len(s.cb.Body)
	}
	return 0
}
