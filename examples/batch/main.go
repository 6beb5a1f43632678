// Command batch is a small service that Callboard delivers batches to. It shows how a sink answers for each delivery of a
// batch. Start reading at warehouse.ServeHTTP.
//
//	go run ./examples/batch -listen 127.0.0.1:9106
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9106", "where batches arrive")
	flag.Parse()
	server := &http.Server{Addr: *listen, Handler: newWarehouse(os.Stdout), ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute}
	fmt.Fprintln(os.Stderr, "batch:", server.ListenAndServe())
	os.Exit(1)
}
