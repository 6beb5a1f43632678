package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"callboard/openim"
)

// request is the documented group-message callback as IMServer writes it.
func request(target string) ([]byte, string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, "", err
	}
	c, ok := openim.Lookup("afterSendGroupMsg")
	if !ok {
		return nil, "", errors.New("the catalogue lacks afterSendGroupMsg")
	}
	body := openim.Sample(c)
	r, err := http.NewRequest(http.MethodPost, target+"/"+c.Name+"?contenttype=json", bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("operationID", "bench")
	r.Header.Set("User-Agent", "Go-http-client/1.1")
	r.Header.Set("Accept-Encoding", "gzip")
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), u.Host, err
}

// loadFor keeps connections busy for d and returns how many callbacks were answered.
func loadFor(target string, connections int, d time.Duration) (int, time.Duration, error) {
	end := time.Now().Add(d)
	return load(target, connections, func(int64) bool { return time.Now().Before(end) })
}

// loadCount sends n callbacks.
func loadCount(target string, connections, n int) (int, time.Duration, error) {
	return load(target, connections, func(sent int64) bool { return sent < int64(n) })
}

func load(target string, connections int, more func(sent int64) bool) (int, time.Duration, error) {
	raw, host, err := request(target)
	if err != nil {
		return 0, 0, err
	}
	var sent atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, connections)
	start := time.Now()
	for i := range connections {
		wg.Go(func() { errs[i] = drive(host, raw, &sent, more) })
	}
	wg.Wait()
	return int(sent.Load()), time.Since(start), errors.Join(errs...)
}

// drive sends on one connection, the next callback when the last is answered.
func drive(host string, raw []byte, sent *atomic.Int64, more func(int64) bool) error {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for more(sent.Load()) {
		if _, err := conn.Write(raw); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK || !bytes.HasPrefix(body, []byte(`{"actionCode":0`)) {
			return fmt.Errorf("answer %d %s", resp.StatusCode, body)
		}
		sent.Add(1)
	}
	return nil
}
