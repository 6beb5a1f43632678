package sinks

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// The placeholders of a sink's URL.
const (
	commandPlaceholder = "{command}"
	sourcePlaceholder  = "{source}"
)

// A target is where a sink's requests go.
type target struct {
	fixed    *url.URL // the URL; with placeholders, the URL without what they stand for
	template string   // the URL with its placeholders, "" when it has none
}

// parseTarget reads a sink's URL and takes user and password out of it. Its errors never quote the
// URL, which may hold secrets in any part.
func parseTarget(raw string) (target, *url.Userinfo, error) {
	bare := strings.NewReplacer(commandPlaceholder, "", sourcePlaceholder, "").Replace(raw)
	u, err := url.Parse(bare)
	switch {
	case err != nil:
		return target{}, nil, errors.New("reading URL: it is malformed, perhaps a character needs escaping")
	case u.Scheme != "http" && u.Scheme != "https":
		return target{}, nil, errors.New(`reading URL: it must begin with "http://" or "https://"`)
	case u.Hostname() == "":
		return target{}, nil, errors.New("reading URL: it has no host")
	case strings.Contains(raw, "#"):
		return target{}, nil, errors.New(`reading URL: what follows "#" would never be sent`)
	case strings.ContainsAny(bare, "{}"):
		return target{}, nil, errors.New("reading URL: the only placeholders are {command} and {source}; other braces are written %7B and %7D")
	}
	user := u.User
	u.User = nil
	if bare == raw {
		return target{fixed: u}, user, nil
	}
	if strings.Contains(raw[:endOfAuthority(raw)], "{") {
		return target{}, nil, errors.New("reading URL: a placeholder may stand in path and query only")
	}
	return target{fixed: u, template: u.Scheme + "://" + u.Host + raw[endOfAuthority(raw):]}, user, nil
}

// endOfAuthority returns where scheme, user and host of a URL end.
func endOfAuthority(raw string) int {
	_, rest, _ := strings.Cut(raw, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return len(raw) - len(rest) + i
	}
	return len(raw)
}

// url returns where a callback goes. Command and source come from outside, so they are escaped, and
// what would walk up the path is an error. An empty source takes the slash after it along.
func (t target) url(command, source string) (*url.URL, error) {
	if t.template == "" {
		return t.fixed, nil
	}
	path, query, hasQuery := strings.Cut(t.template, "?")
	if source == "" {
		path = strings.ReplaceAll(path, sourcePlaceholder+"/", "")
	}
	segments := strings.Split(source, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	whole := strings.NewReplacer(commandPlaceholder, url.PathEscape(command), sourcePlaceholder, strings.Join(segments, "/")).Replace(path)
	if slices.ContainsFunc(strings.Split(whole, "/"), dotted) {
		return nil, errors.New("the callback's command or source does not fit into the sink's URL")
	}
	if hasQuery {
		whole += "?" + strings.NewReplacer(commandPlaceholder, url.QueryEscape(command), sourcePlaceholder, url.QueryEscape(source)).Replace(query)
	}
	return url.Parse(whole)
}

func dotted(segment string) bool { return segment == "." || segment == ".." }
