package table

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"callboard/rules"
)

// ReadTests reads the routing tests of a rules folder, *_test.yaml and *_test.yml, found and named as ReadDir does the
// rules files. Of a single rules file they are in the one beside it whose name has _test. None at all is no error.
func ReadTests(dir string) ([]rules.File, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("reading tests: %w", err)
	}
	s := scanner{dirs: map[string]string{}, visited: map[string]bool{}, wanted: isTestFile}
	if info.IsDir() {
		if err := s.folder(dir); err != nil {
			return nil, fmt.Errorf("reading tests: %w", err)
		}
	} else {
		ext := filepath.Ext(dir)
		name := strings.TrimSuffix(dir, ext) + "_test" + ext
		if info, err := os.Stat(name); err == nil {
			s.files = []entry{{name, info}}
		}
	}
	if len(s.files) == 0 {
		return nil, nil
	}
	c, err := tree{files: s.files}.read(dir, nil)
	return c.files(), err
}

func isTestFile(name string) bool {
	stem, isYAML := yamlStem(name)
	return isYAML && strings.HasSuffix(stem, "_test")
}
