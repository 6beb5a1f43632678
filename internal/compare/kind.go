package compare

import "slices"

// A Kind is one way in which a callback ends differently with the candidate.
type Kind uint8

// The kinds, what matters most first. Each has its reverse, or is its own.
const (
	Refused       Kind = iota // it is refused, and was not; of an after-callback: its policy is not met
	NotRefused                // the reverse
	CodeChanged               // it is refused with another code or message
	FieldsChanged             // it is allowed with other reply fields
	Failed                    // a rule's condition fails, and did not
	NotFailed                 // the reverse
	NotifiedMore              // a sink gets it delivered that did not
	NotifiedLess              // the reverse
	KeyChanged                // a sink gets it in another order: with another key
	AskedMore                 // a sink is asked that was not
	AskedLess                 // the reverse
	MatchedMore               // a rule matches that did not
	MatchedLess               // the reverse
	lastKind      = MatchedLess
)

var kindNames = [lastKind + 1]string{
	"refused", "not_refused", "code_changed", "fields_changed", "failed", "not_failed", "notified", "not_notified", "key_changed",
	"asked", "not_asked", "matched", "not_matched",
}

// String returns the name that programs see: refused, not_refused, code_changed, fields_changed, failed, not_failed, notified,
// not_notified, key_changed, asked, not_asked, matched or not_matched.
func (k Kind) String() string { return kindNames[k] }

// Kinds returns all kinds, what matters most first.
func Kinds() []Kind {
	kinds := make([]Kind, lastKind+1)
	for i := range kinds {
		kinds[i] = Kind(i)
	}
	return kinds
}

// ParseKind reads a kind's name.
func ParseKind(name string) (k Kind, ok bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(max(i, 0)), i >= 0
}
