package table

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/router"
)

// Each version of the rules sends both sinks to a path of its own: a callback that reached two paths saw two tables.
func TestUnderLoadNoCallbackSeesTwoTablesAndNoneIsLost(t *testing.T) {
	const versions, callers = 50, 4
	var mu sync.Mutex
	seen := map[string]map[string]int{} // body → path → requests
	arrived := make(chan struct{})
	sink := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if seen[string(body)] == nil {
			seen[string(body)] = map[string]int{}
		}
		seen[string(body)][r.URL.Path]++
		_, _ = io.WriteString(w, `{"actionCode":0,"nextCode":0}`)
		select {
		case arrived <- struct{}{}:
		default:
		}
	})
	network := testkit.NewNetwork()
	network.Serve(t, "one", sink)
	network.Serve(t, "two", sink)
	gateway := router.New(router.Options{})
	network.Serve(t, "gateway", gateway)
	s := serve(t, func(o *Options) { o.Dial = network.DialContext }, twoSinks("0", "0"))
	gateway.Swap(s.table)

	command, _ := openim.Lookup("beforeSendGroupMsg")
	sample := string(openim.Sample(command))
	stop := make(chan struct{})
	var calling sync.WaitGroup
	endCalls := sync.OnceFunc(func() { close(stop); calling.Wait() })
	defer endCalls()
	for caller := range callers {
		calling.Go(func() {
			transport := network.Transport()
			defer transport.CloseIdleConnections()
			im := testkit.IMServer{URL: "http://gateway", Transport: transport}
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				body := strings.Replace(sample, `"1767225600000"`, fmt.Sprintf(`"%d-%d"`, caller, n), 1)
				if o := im.Call(command.Name, "1", []byte(body)); o.Err != nil || o.Refused {
					t.Errorf("callback %d of caller %d: %+v", n, caller, o)
					return
				}
			}
		})
	}
	// The sinks change in every second version; in the others they go on with their connections.
	for v := range versions {
		s.load(twoSinks(fmt.Sprint(v/2), fmt.Sprint(v/2)) + fmt.Sprintf("# version %d\n", v))
		gateway.Swap(s.table)
		for range 2 * callers {
			select {
			case <-arrived:
			case <-time.After(time.Minute):
				t.Fatal("no more callbacks arrive")
			}
		}
	}
	endCalls()

	paths := map[string]bool{}
	for body, requests := range seen {
		if len(requests) != 1 {
			t.Errorf("one callback reached %v: %s", requests, body)
		}
		for path, n := range requests {
			paths[path] = true
			if n != 2 {
				t.Errorf("one callback asked %d sinks at %s, want 2", n, path)
			}
		}
	}
	if len(paths) < versions/4 {
		t.Errorf("%d callbacks reached %d paths of %d: hardly a reload happened under load", len(seen), len(paths), versions/2)
	}
}
