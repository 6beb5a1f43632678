package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// workers is how many posts to one sink a bare queue makes at the same time: Callboard's default concurrency.
const workers = 64

// A bareQueue acknowledges and delivers from memory: what somebody would write who can afford to lose things. It holds a
// bounded number, and the caller where there are more. With a log it appends and syncs first, as a group.
type bareQueue struct {
	client *http.Client
	queues []chan []byte // one a sink
	log    *groupLog     // nil: nothing on disk
}

func newBareQueue(sinks []string, log *groupLog) http.Handler {
	b := &bareQueue{client: &http.Client{Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: workers}}, log: log}
	for _, s := range sinks {
		q := make(chan []byte, 1024)
		b.queues = append(b.queues, q)
		for range workers {
			go b.work(s, q)
		}
	}
	return b
}

func (b *bareQueue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && b.log != nil {
		err = b.log.append(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, q := range b.queues {
		q <- body
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, allow)
}

func (b *bareQueue) work(sink string, q <-chan []byte) {
	for body := range q {
		resp, err := b.client.Post(sink, "application/json", bytes.NewReader(body))
		if err != nil {
			fmt.Fprintln(os.Stderr, "bare queue:", err)
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// A groupLog is a file that callers append to; whoever waits at the same moment shares one write and one fdatasync.
type groupLog struct {
	file    *os.File
	mu      sync.Mutex // guards what follows
	waiting []byte
	batch   *groupCommit
	wake    chan struct{}
}

type groupCommit struct {
	done chan struct{}
	err  error
}

func newGroupLog(path string) (*groupLog, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	l := &groupLog{file: f, batch: &groupCommit{done: make(chan struct{})}, wake: make(chan struct{}, 1)}
	go l.run()
	return l, nil
}

func (l *groupLog) append(body []byte) error {
	l.mu.Lock()
	l.waiting = append(append(l.waiting, body...), '\n')
	batch := l.batch
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	<-batch.done
	return batch.err
}

func (l *groupLog) run() {
	var spare []byte
	for range l.wake {
		l.mu.Lock()
		data, batch := l.waiting, l.batch
		l.waiting, l.batch = spare[:0], &groupCommit{done: make(chan struct{})}
		l.mu.Unlock()
		if _, batch.err = l.file.Write(data); batch.err == nil {
			batch.err = unix.Fdatasync(int(l.file.Fd()))
		}
		close(batch.done)
		spare = data
	}
}
