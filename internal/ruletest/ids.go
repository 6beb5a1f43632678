package ruletest

// The ids of what tests find, as stable as those of package rules.
const (
	idFailedTest      = "failed-test"
	idUnnoticedChange = "unnoticed-change"
	idUnplayableTest  = "unplayable-test"
	idUnseenFalse     = "unseen-false"
	idUnseenMatch     = "unseen-match"
	idUnseenTrue      = "unseen-true"
)
