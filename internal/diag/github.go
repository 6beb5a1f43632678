package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteGitHub renders diagnostics as workflow commands of GitHub Actions, one a line, which the
// site shows beside the lines of a change:
//
//	::error file=rules.yaml,line=14,col=34,endColumn=40,title=unknown-field::unknown field "sendId"
func WriteGitHub(w io.Writer, ds []Diagnostic) error {
	b := bufio.NewWriter(w)
	for _, d := range ds {
		var properties []string
		if d.File != "" {
			properties = append(properties, "file="+githubProperty.Replace(d.File))
		}
		if d.Line > 0 {
			// endColumn is the last character for GitHub, EndCol the one after it.
			properties = append(properties, fmt.Sprintf("line=%d,col=%d,endColumn=%d", d.Line, d.Col, max(d.Col, d.EndCol-1)))
		}
		properties = append(properties, "title="+githubProperty.Replace(d.ID))
		message := d.Message
		if d.Hint != "" {
			message += "\nhint: " + d.Hint
		}
		if d.Owner != "" {
			message += "\nowner: " + d.Owner
		}
		fmt.Fprintf(b, "::%s %s::%s\n", d.Severity, strings.Join(properties, ","), githubData.Replace(message))
	}
	return b.Flush()
}

// What ends a command, a property or a value must be escaped; unescaped, a file name could write
// commands of its own.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
