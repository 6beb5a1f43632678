// Command sink is a small service that Callboard delivers to: an archive that writes a line for each group message. It shows
// what any sink does that is notified: verify the signature, recognise what it has had already, work, and answer with
// a status that Callboard understands. Start reading at archive.ServeHTTP.
//
//	SINK_SECRET=whsec_… go run ./examples/sink -listen 127.0.0.1:9105
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv("SINK_SECRET"), os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sink:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. It archives to stdout and says the rest to stderr.
func run(ctx context.Context, args []string, secret string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("sink", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:9105", "where deliveries arrive")
	given := flags.String("secret", "", "the secret of the sink in Callboard's rules, two with a space between them during rotation "+
		"(better in the variable SINK_SECRET, which others on the machine cannot see)")
	retired := flags.Bool("retired", false, "answer 410, as a service does that wants nothing more")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *given != "" {
		secret = *given
	}
	a, err := newArchive(secret, stdout)
	if err != nil {
		return err
	}
	a.retired = *retired

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "sink: listening on http://%s\n", listener.Addr())
	// Callboard keeps connections open between deliveries; closing them later than it does (90 s) spares both a lost request.
	server := &http.Server{Handler: a, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// Deliveries in progress finish. What comes meanwhile meets a closed port, and Callboard comes again.
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
