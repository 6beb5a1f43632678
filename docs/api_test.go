package docs

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestOperationsOfTheAPI(t *testing.T) {
	s := startServer(t)
	resp, err := http.Get("http://" + s.Admin + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var described struct{ Paths map[string]map[string]any }
	if err := json.NewDecoder(resp.Body).Decode(&described); err != nil {
		t.Fatal(err)
	}
	var operations []string
	for path, methods := range described.Paths {
		for method := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
		}
	}
	same(t, "operations", operations, column(t, "operations.md", "## The admin API", "operation | does"))
}
