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
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"callboard/openim"
)

// operationID is what every callback carries, of the length of a time in nanoseconds.
const operationID = "0000000000000000000"

var inBody = regexp.MustCompile(`"operationID":"[^"]*"`)

func sampleBody() ([]byte, string, error) {
	c, ok := openim.Lookup("afterSendGroupMsg")
	if !ok {
		return nil, "", errors.New("the catalogue lacks afterSendGroupMsg")
	}
	return inBody.ReplaceAll(openim.Sample(c), []byte(`"operationID":"`+operationID+`"`)), c.Name, nil
}

// bodyLength is the length of a callback's body without padding.
func bodyLength() int {
	body, _, _ := sampleBody() // the load before it has shown that there is one
	return len(body)
}

// request is the documented group-message callback as IMServer writes it, with padding bytes of content on top.
func request(target string, padding int) ([]byte, string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, "", err
	}
	body, command, err := sampleBody()
	if err != nil {
		return nil, "", err
	}
	if padding > 0 {
		body = bytes.Replace(body, []byte(`{`), []byte(`{"padding":"`+strings.Repeat("x", padding)+`",`), 1)
	}
	r, err := http.NewRequest(http.MethodPost, target+"/"+command+"?contenttype=json", bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("operationID", operationID)
	r.Header.Set("User-Agent", "Go-http-client/1.1")
	r.Header.Set("Accept-Encoding", "gzip")
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), u.Host, err
}

// loadFor keeps connections busy for d and returns how many callbacks were answered.
func loadFor(target string, connections int, d time.Duration) (int, time.Duration, error) {
	end := time.Now().Add(d)
	return load(target, connections, 0, func(int64) bool { return time.Now().Before(end) })
}

// loadCount sends n callbacks.
func loadCount(target string, connections, padding, n int) (int, time.Duration, error) {
	return load(target, connections, padding, func(sent int64) bool { return sent < int64(n) })
}

func load(target string, connections, padding int, more func(sent int64) bool) (int, time.Duration, error) {
	raw, host, err := request(target, padding)
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
