package rules

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// sinkURL reads the URL. It is a secret (its user part, its path with some services, its query, what
// references bring), so no message quotes it.
func (d *decoder) sinkURL(n *node, s *sinkDraft) {
	text, ok := d.scalar(n, "url")
	if !ok {
		return
	}
	problem, hint := urlProblem(text)
	d.revealURL(n, problem != "")
	if problem != "" {
		d.fail(d.place(n), idURL, hint, "%s", problem)
		return
	}
	s.URL = text
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func urlProblem(text string) (problem, hint string) {
	for _, p := range placeholder.FindAllString(text, -1) {
		if p != "{command}" && p != "{source}" {
			return "the url holds an unknown placeholder", "{command} and {source} can be placed in it"
		}
	}
	u, err := url.Parse(placeholder.ReplaceAllString(text, "x"))
	switch {
	case strings.TrimSpace(text) == "":
		return "the url is empty", "as in http://moderation.internal:8080/check"
	case strings.TrimSpace(text) != text || strings.ContainsAny(text, " \t\r\n"):
		return "the url contains white space", ""
	case !strings.Contains(text, "://"):
		return "the url does not say http:// or https://", "as in http://moderation.internal:8080/check"
	case err != nil:
		return "the url cannot be parsed", "as in http://moderation.internal:8080/check; escape special characters in a password with %"
	case u.Scheme != "http" && u.Scheme != "https":
		return "a sink is reached over http or https", ""
	case u.Hostname() == "":
		return "the url has no host", "as in http://moderation.internal:8080/check"
	case u.Fragment != "":
		return "a fragment (#…) never reaches the sink", "leave it out"
	case !validPort(u.Port()):
		return "the port must be from 1 to 65535", ""
	}
	// The source is the caller's choice, so it must not choose the host that is called.
	if origin, _, _ := strings.Cut(strings.SplitN(text, "://", 2)[1], "/"); strings.Contains(strings.SplitN(origin, "?", 2)[0], "{") {
		return "placeholders can stand in the url's path and query only", ""
	}
	return "", ""
}

func validPort(port string) bool {
	v, err := strconv.Atoi(port)
	return port == "" || err == nil && v >= 1 && v <= 65535
}
