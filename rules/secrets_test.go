package rules

import (
	"fmt"
	"strings"
	"testing"

	"callboard/internal/diag"
)

// slippery has a secret in every place for one, written out: each holds plantedMark.
const slippery = `defaults:
  sinks:
    headers: {X-Team: "DEFAULTSEC"}
    secret: DEFAULTKEYSEC0123456
sinks:
  moderation:
    url: "https://user:PASSWORDSEC@m.internal:8443/hooks/PATHSEC?token=QUERYSEC&a=b"
    timeout: 400ms
    headers:
      Authorization: Bearer TOKENSEC
      X-Auth: PLAINSEC # once OLDSEC
      "X-Other": 'QUOTEDSEC'
      X-Long: >-
        FIRSTSEC
        SECONDSEC
    secret:
      - whsec_NEWKEYSEC+NEWKEYSEC+0123
      - 'OLDKEYSEC 0123456789'
  flow: {secret: [FLOWKEYSEC0123456789, "FLOWOLDSEC0123456789"], url: 'http://u:FLOWURLSEC@flow/', headers: {X-Auth: FLOWSEC, Cookie: "a=FLOWCOOKIESEC"}, timeout: 1s}
rules:
  - name: r
    await: {sinks: [moderation, flow], deadline: 900ms}
    notify: [moderation, flow]
`

const plantedMark = "SEC"

var slips = []string{"'", `"`, ":", " ", "\t", "\n", "{", "]", "#", "*", "!", "- "}

// Whatever single slip of the hand a file holds, what is found wrong shows no secret.
func TestNoSlipOfTheHandShowsASecret(t *testing.T) {
	lines := strings.SplitAfter(slippery, "\n")
	for i, line := range lines {
		without := strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "")
		twice := strings.Join(lines[:i+1], "") + strings.Join(lines[i:], "")
		mustShowNoSecret(t, fmt.Sprintf("without line %q", line), without)
		mustShowNoSecret(t, fmt.Sprintf("with line %q twice", line), twice)
	}
	for i := range slippery {
		at := fmt.Sprintf("behind %q", slippery[max(0, i-20):i])
		mustShowNoSecret(t, fmt.Sprintf("without %q %s", slippery[i:i+1], at), slippery[:i]+slippery[i+1:])
		for k := range 2 { // of twelve, others at every place: all of them take too long with the race detector
			slip := slips[(5*i+k)%len(slips)]
			mustShowNoSecret(t, fmt.Sprintf("with %q %s", slip, at), slippery[:i]+slip+slippery[i:])
		}
	}
}

func mustShowNoSecret(t *testing.T, slip, file string) {
	t.Helper()
	_, found := Load([]File{text(file)}, corpusOptions)
	for _, d := range found {
		if shown := d.String() + "\n" + d.Hint + "\n" + d.Source; strings.Contains(shown, plantedMark) {
			t.Errorf("%s is shown:\n%s", slip, shown)
		}
	}
}

// Hiding secrets leaves what people need to see their mistake.
func TestWhatIsNoSecretIsShown(t *testing.T) {
	for file, want := range map[string]string{
		"sinks: {s: {url: 'http://u:p@host:8080/path', timeuot: 1s}}\nrules: []":                                   "sinks: {s: {url: 'http://****host:8080*****', timeuot: 1s}}",
		"sinks: {s: {url: 'ftp://host/path'}}\nrules: []":                                                          "sinks: {s: {url: 'ftp://host/path'}}",
		"sinks: {s: {url: 'http://${env:HOST}/', retry: {attempts: 1, backof: 2s}}}\nrules: []":                    "sinks: {s: {url: 'http://${env:HOST}/', retry: {attempts: 1, backof: 2s}}}",
		"sinks: {s: {url: 'http://h/', headers: {X: '${file:/run/secrets/token}${env:NO:-default}'}, timeot: 1s}}": "sinks: {s: {url: 'http://h/', headers: {X: '${file:/run/secrets/token}${env:NO:-*******}'}, timeot: 1s}}",
		"sinks: {s: {url: 'http://h/', headers: {X-A: b}, on_failure: alow}} # remark\nrules: []":                  "sinks: {s: {url: 'http://h/', headers: {X-A: *}, on_failure: alow}}",
		"rules: [{name: r, callbacks: [beforeSendGrupMsg], when: 'groupID == \"g\"', reply: allow}]":               "rules: [{name: r, callbacks: [beforeSendGrupMsg], when: 'groupID == \"g\"', reply: allow}]",
		"defaults: {rules: {await: {on_failure: {s: allow}, deadlin: 1s}}}\nrules: []":                             "defaults: {rules: {await: {on_failure: {s: allow}, deadlin: 1s}}}",
	} {
		_, found := Load([]File{text(file)}, corpusOptions)
		if !diag.HasErrors(found) {
			t.Errorf("nothing is wrong with %s", file)
			continue
		}
		if found[0].Source != want {
			t.Errorf("shown  %s\nwanted %s", found[0].Source, want)
		}
	}
}
