package sinks_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

// quickSink is a sink over loopback that costs as little as net/http allows.
func quickSink(b *testing.B) string {
	allow := []byte(testkit.Allow().Body)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(allow)
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// BenchmarkBareClient is what BenchmarkAsk is compared with: a post by net/http alone.
func BenchmarkBareClient(b *testing.B) {
	url := quickSink(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		r, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(callback.Body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		resp, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
		cancel()
	}
}

func BenchmarkAsk(b *testing.B) {
	for name, hedge := range map[string]time.Duration{"plain": 0, "hedging": 500 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			benchmarkAsk(b, openSink(b, sinks.Options{Name: "s", URL: quickSink(b), Hedge: hedge}))
		})
	}
}

// BenchmarkWithoutNetwork is the sink's own share.
func BenchmarkWithoutNetwork(b *testing.B) {
	allow := []byte(testkit.Allow().Body)
	o := sinks.Options{Name: "s", URL: "http://s", Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(allow)), ContentLength: int64(len(allow)), Request: r}, nil
	})}
	b.Run("ask", func(b *testing.B) { benchmarkAsk(b, openSink(b, o)) })
	benchmarkDeliveries(b, o)
}

func BenchmarkDeliver(b *testing.B) {
	benchmarkDeliveries(b, sinks.Options{Name: "s", URL: quickSink(b)})
}

func openSink(b *testing.B, o sinks.Options) *sinks.Sink {
	sink, err := sinks.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(sink.Close)
	return sink
}

func benchmarkAsk(b *testing.B, sink *sinks.Sink) {
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if r := sink.Ask(ctx, callback); r.Answer.Vote != openim.Allow {
			b.Fatalf("got %+v", r)
		}
		cancel()
	}
}

func benchmarkDeliveries(b *testing.B, o sinks.Options) {
	for _, c := range []struct {
		name    string
		secrets []string
	}{{"plain", nil}, {"signed", []string{newSecret}}, {"signed twice", []string{newSecret, oldSecret}}} {
		b.Run(c.name, func(b *testing.B) {
			o.Secrets = c.secrets
			sink := openSink(b, o)
			b.ReportAllocs()
			for b.Loop() {
				if o := sink.Deliver(context.Background(), delivery); !o.Delivered {
					b.Fatalf("got %+v", o)
				}
			}
		})
	}
}

// BenchmarkDeliverBatch is of a hundred deliveries in one request, for comparison with BenchmarkDeliver.
func BenchmarkDeliverBatch(b *testing.B) {
	ds := make([]sinks.Delivery, 100)
	for i := range ds {
		ds[i] = delivery
	}
	for name, batch := range map[string]sinks.Batch{"array": {}, "envelopes in lines": {NDJSON: true, Envelope: true}} {
		b.Run(name, func(b *testing.B) {
			sink := openSink(b, sinks.Options{Name: "s", URL: quickSink(b), Secrets: []string{newSecret}, Batch: batch})
			b.ReportAllocs()
			for b.Loop() {
				if o, _ := sink.DeliverBatch(context.Background(), ds); !o.Delivered {
					b.Fatalf("got %+v", o)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ds)), "ns/delivery")
		})
	}
}
