package testkit
import (
 _ "github.com/expr-lang/expr"
 _ "github.com/fsnotify/fsnotify"
 _ "gopkg.in/yaml.v3"
 _ "github.com/hashicorp/go-retryablehttp"
 _ "github.com/alecthomas/kong"
 _ "github.com/prometheus/client_golang/prometheus/promhttp"
 _ "github.com/prometheus/client_golang/prometheus/collectors"
 _ "github.com/prometheus/client_golang/prometheus/testutil"
 _ "github.com/invopop/jsonschema"
 _ "github.com/go-json-experiment/json/jsontext"
 _ "pgregory.net/rapid"
 _ "github.com/google/go-cmp/cmp"
 _ "go.uber.org/goleak"
 _ "github.com/rogpeppe/go-internal/testscript"
 _ "golang.org/x/sync/errgroup"
)
