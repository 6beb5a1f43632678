package console

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"callboard/internal/explain"
	"callboard/internal/journal"
	"callboard/internal/queue"
)

// A Queue is what the API asks of the deliveries: *queue.Queue, whose documentation holds.
type Queue interface {
	Sinks() []queue.SinkStatus
	Deliveries(ctx context.Context, f queue.Filter, before queue.Ref, n int) ([]queue.Waiting, error)
	Count(ctx context.Context, f queue.Filter) (int, error)
	Event(ctx context.Context, id string) (*queue.Event, error)
	Retry(ctx context.Context, f queue.Filter) (int, error)
	Discard(ctx context.Context, f queue.Filter) (int, error)
	Pause(ctx context.Context, sink, why string) error
	Resume(ctx context.Context, sink string) error
	Healthy() error
}

// A Journal is what the API asks of the journal: *journal.Journal, whose documentation holds.
type Journal interface {
	Find(ctx context.Context, f journal.Filter, oldestFirst bool, yield func(*journal.Callback) bool) error
	Get(ctx context.Context, id string) (*journal.Callback, []journal.Attempt, error)
	Follow(ctx context.Context, f journal.Filter, yield func(c *journal.Callback, missed int) bool) error
}

// maxBody bounds a request's JSON body, in bytes: a filter with some ten thousand ids.
const maxBody = 1 << 20

// apiConfig leaves out Huma's documentation page, which loads scripts from elsewhere, and the links to schemas that it
// adds to every answer.
func apiConfig() huma.Config {
	config := huma.DefaultConfig("Callboard", "1")
	config.Info.Description = "Deliveries, sinks and recorded callbacks of a running gateway. Names are only ever added, never changed. " +
		"Errors are problem details (RFC 9457) with a hint."
	config.OpenAPIPath = "/api/openapi"
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.RejectUnknownQueryParameters = true // a filter with a typing mistake would choose everything
	return config
}

// schemaName names the schema of a type: types of package explain have names that others have too.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.PkgPath() == reflect.TypeFor[explain.Report]().PkgPath() {
		return "Explain" + name
	}
	return name
}

// addAPI adds the operations to a mux.
func (c *console) addAPI(mux *http.ServeMux) {
	api := humago.New(mux, apiConfig())
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		ctx.SetHeader("Cache-Control", "no-store")
		next(ctx)
	})
	if c.Reload != nil {
		c.addReload(api)
	}
	c.addDeliveries(api)
	c.addSinks(api)
	c.addCallbacks(api)
	c.addStreams(api)
	c.addReplay(api)
	c.addCandidate(api)

	if c.Explain != nil {
		c.addExplain(api)
	}
}

// get describes an operation that looks.
func get(path, id, summary string) huma.Operation {
	return huma.Operation{Method: http.MethodGet, Path: path, OperationID: id, Summary: summary}
}

// post describes an operation that does something.
func post(path, id, summary string) huma.Operation {
	return huma.Operation{Method: http.MethodPost, Path: path, OperationID: id, Summary: summary, MaxBodyBytes: maxBody}
}

// unhurried is part of the input of operations that may take longer than the admin listener gives a request.
type unhurried struct{}

// Resolve takes the request's deadlines away, without which the answer would be cut off. Huma calls it once the body has been read.
func (*unhurried) Resolve(ctx huma.Context) []error {
	_, w := humago.Unwrap(ctx)
	withoutDeadlines(w)
	return nil
}

// withoutDeadlines lets a request take as long as it needs. A recorder in a test has none to take away.
func withoutDeadlines(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Time{})
}
