package openim

// A Vote is what one sink's answer says about a callback.
type Vote uint8

const (
	// Failed means no usable answer came. It is the zero value: nobody votes by accident.
	Failed Vote = iota
	// Allow lets the action proceed.
	Allow
	// Refuse stops it.
	Refuse
	// Abstain leaves the decision to others.
	Abstain
)

// String returns "failed", "allow", "refuse" or "abstain".
func (v Vote) String() string {
	switch v {
	case Allow:
		return "allow"
	case Refuse:
		return "refuse"
	case Abstain:
		return "abstain"
	default:
		return "failed"
	}
}

// ParseVote returns the vote that String writes so, and whether there is one.
func ParseVote(name string) (Vote, bool) {
	for v := Failed; v <= Abstain; v++ {
		if v.String() == name {
			return v, true
		}
	}
	return Failed, false
}
