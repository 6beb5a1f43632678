package rules

import (
	"strconv"
	"strings"

	"callboard/rules/when"
)

// hideSecrets puts references back in place of what they stand for.
func (r *Rule) hideSecrets(parts []when.Part) []when.Part {
	for i := range parts {
		for _, s := range r.secrets {
			if s.value != "" {
				parts[i].Text = strings.ReplaceAll(parts[i].Text, s.value, s.reference)
				parts[i].Value = s.hideIn(parts[i].Value)
				parts[i].Wanted = s.hideIn(parts[i].Wanted)
			}
		}
	}
	return parts
}

// hideIn hides the secret in a value as explanations show it: with escapes, and cut short.
func (s secret) hideIn(shown string) string {
	quoted := strconv.Quote(s.value)
	quoted = quoted[1 : len(quoted)-1]
	shown = strings.ReplaceAll(shown, quoted, s.reference)
	shown = strings.ReplaceAll(shown, s.value, s.reference)
	if kept, cut := strings.CutSuffix(shown, "…"); cut {
		for n := min(len(quoted), len(kept)); n > 0; n-- {
			if rest, found := strings.CutSuffix(kept, quoted[:n]); found {
				return rest + s.reference + "…"
			}
		}
	}
	return shown
}
