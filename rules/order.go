package rules

import "slices"

// byPriority returns rules in the order of matching: the highest priority first, and as given within one. Many rules have
// few priorities, so they are counted rather than compared.
func byPriority(rules []*outline, with *pace) []*outline {
	places := map[int]int{} // priority → how many, then where the next one goes
	for i, r := range rules {
		with.breathe(i)
		places[r.Priority]++
	}
	priorities := make([]int, 0, len(places))
	for p := range places {
		priorities = append(priorities, p)
	}
	slices.Sort(priorities)
	next := 0
	for _, p := range slices.Backward(priorities) {
		count := places[p]
		places[p] = next
		next += count
	}
	ordered := make([]*outline, len(rules))
	for i, r := range rules {
		with.breathe(i)
		ordered[places[r.Priority]] = r
		places[r.Priority]++
	}
	return ordered
}
