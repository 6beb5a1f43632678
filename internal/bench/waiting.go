package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

// waitingMillion loads Callboard while its sink is unreachable, prints its memory with a million deliveries of 2 KiB waiting, and
// what a start with them takes.
func (b *bench) waitingMillion(dir string) error {
	nowhere, err := freeAddress()
	if err != nil {
		return err
	}
	rules, err := b.writeRules(dir, "unreachable", notifyRules([]string{"http://" + nowhere}, ""))
	if err != nil {
		return err
	}
	args := []string{"--data", filepath.Join(dir, "waiting"), "--journal-max-age", "0"}
	gateway, err := b.startGateway(rules, args...)
	if err != nil {
		return err
	}
	defer func() { gateway.stop() }()
	n, elapsed, err := loadCount(gateway.url, b.connections, 2048-bodyLength(), b.million)
	if err != nil {
		return err
	}
	rss, peak, err := gateway.memory()
	if err != nil {
		return err
	}
	fmt.Printf("\n%d deliveries of 2 KiB waiting, accepted in %s: resident %.1f MiB, peak %.1f MiB\n", n, elapsed.Round(time.Second), rss, peak)
	gateway.stop()
	begun := time.Now()
	if gateway, err = b.startGateway(rules, args...); err != nil {
		return err
	}
	fmt.Printf("killed and started again: ready after %s", time.Since(begun).Round(10*time.Millisecond))
	if rss, peak, err = gateway.memory(); err != nil {
		return err
	}
	fmt.Printf(", resident %.1f MiB, peak %.1f MiB\n", rss, peak)
	return nil
}

// waitingForRetry fails 100,000 deliveries once, and prints what they cost while they wait for the second attempt.
func (b *bench) waitingForRetry(dir string) error {
	failing, err := startRole("sink")
	if err != nil {
		return err
	}
	defer failing.stop()
	resp, err := http.Post(failing.url+"/fail", "", nil)
	if err != nil {
		return err
	}
	resp.Body.Close()
	const settings = "    retry: {backoff: 1h, max_backoff: 1h}\n    breaker: off\n"
	rules, err := b.writeRules(dir, "failing", notifyRules([]string{failing.url}, settings))
	if err != nil {
		return err
	}
	gateway, err := b.startGateway(rules, "--data", filepath.Join(dir, "retrying"), "--journal-max-age", "0")
	if err != nil {
		return err
	}
	defer gateway.stop()
	const count = 100_000
	n, _, err := loadCount(gateway.url, b.connections, 0, count)
	if err != nil {
		return err
	}
	only := bench{sinks: []string{failing.url}}
	if err := only.waitTaken(n); err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	before, err := gateway.cpu()
	if err != nil {
		return err
	}
	const watched = 20 * time.Second
	time.Sleep(watched)
	after, err := gateway.cpu()
	if err != nil {
		return err
	}
	rss, _, err := gateway.memory()
	if err != nil {
		return err
	}
	fmt.Printf("%d deliveries wait for a retry within the hour: %.2f %% of a core, resident %.1f MiB\n",
		n, 100*float64(after-before)/float64(watched), rss)
	return nil
}
