package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

const allow = `{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}`

// serveRole runs one of the parties that are no Callboard, until it is killed. It reports whether name
// is such a role.
func serveRole(name string, args []string) bool {
	var h http.Handler
	switch name {
	case "sink":
		h = new(sinkRole).handler()
	case "bare":
		h = bareForwarder(args)
	case "bare-queue":
		h = newBareQueue(args, nil)
	case "bare-log": // its first argument is the file
		log, err := newGroupLog(args[0])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		h = newBareQueue(args[1:], log)
	default:
		return false
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("http://%s\n", l.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(l, h))
	os.Exit(1)
	return true
}

// bareForwarder is the least that anybody would write by hand: read the body, post it to every sink at
// the same time, read their answers, answer.
func bareForwarder(sinks []string) http.Handler {
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 64}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		errs := make(chan error, len(sinks))
		for _, s := range sinks {
			go func() { errs <- post(client, s, r, body) }()
		}
		for range sinks {
			if err := <-errs; err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, allow)
	})
}

func post(client *http.Client, sink string, r *http.Request, body []byte) error {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, sink, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && !bytes.HasPrefix(answer, []byte(`{"actionCode":0`)) {
		return errors.New("refused")
	}
	return err
}
