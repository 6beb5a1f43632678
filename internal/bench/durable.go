package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// durable compares Callboard, which keeps each callback on disk until three sinks have it, with a bare queue in memory,
// and with one that syncs a log before it answers. CPU counts until the last sink has the last callback.
func (b *bench) durable(dir string) error {
	memory, err := startRole("bare-queue", b.sinks...)
	if err != nil {
		return err
	}
	defer memory.stop()
	log, err := startRole("bare-log", append([]string{filepath.Join(dir, "bare.log")}, b.sinks...)...)
	if err != nil {
		return err
	}
	defer log.stop()
	rules, err := b.writeRules(dir, "notify", notifyRules(b.sinks, ""))
	if err != nil {
		return err
	}
	lean, err := b.startGateway(rules, "--data", filepath.Join(dir, "lean"), "--journal-max-age", "0")
	if err != nil {
		return err
	}
	defer lean.stop()
	gateway, err := b.startGateway(rules, "--data", filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer gateway.stop()

	parties := []*party{memory, log, lean, gateway}
	names := []string{"bare, in memory", "bare, synced log", "callboard, no journal", "callboard"}
	cpu, rate := make([][]float64, len(parties)), make([][]float64, len(parties))
	overMemory, overLog := make([][]float64, len(parties)), make([][]float64, len(parties))
	for i := range b.rounds + 1 {
		var of [4]sample
		for j, p := range parties {
			if of[j], err = b.measureDelivered(p); err != nil {
				return fmt.Errorf("loading %s: %w", names[j], err)
			}
		}
		if i == 0 {
			continue // warm-up
		}
		for j := range parties {
			cpu[j], rate[j] = append(cpu[j], of[j].cpu), append(rate[j], of[j].rate)
			overMemory[j], overLog[j] = append(overMemory[j], of[j].cpu/of[0].cpu), append(overLog[j], of[j].cpu/of[1].cpu)
		}
	}
	fmt.Printf("\nacknowledged, then delivered to 3 sinks; CPU until the last one has the last callback\n\n")
	fmt.Printf("%-24s %10s %10s %10s %14s\n", "", "µs CPU", "× memory", "× log", "acknowledged/s")
	for j, name := range names {
		fmt.Printf("%-24s %10.1f %10.2f %10.2f %14.0f\n", name, median(cpu[j]), median(overMemory[j]), median(overLog[j]), median(rate[j]))
	}
	if err := b.disk(gateway); err != nil {
		return err
	}
	return b.latencies(memory, gateway)
}

// measureDelivered loads a party for a round and waits until the sinks have everything.
func (b *bench) measureDelivered(p *party) (sample, error) {
	taken, err := b.taken()
	if err != nil {
		return sample{}, err
	}
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	n, elapsed, err := loadFor(p.url, b.connections, b.round)
	if err != nil {
		return sample{}, err
	}
	if err := b.waitTaken(taken + n*len(b.sinks)); err != nil {
		return sample{}, err
	}
	after, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	return sample{cpu: float64((after - before).Microseconds()) / float64(n), rate: float64(n) / elapsed.Seconds()}, nil
}

// taken is how many deliveries all sinks have taken so far.
func (b *bench) taken() (sum int, err error) {
	for _, s := range b.sinks {
		text, err := get(s + "/taken")
		if err != nil {
			return 0, err
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func (b *bench) waitTaken(want int) error {
	moved := time.Now()
	for last := -1; ; time.Sleep(20 * time.Millisecond) {
		n, err := b.taken()
		switch {
		case err != nil:
			return err
		case n >= want:
			return nil
		case n != last:
			last, moved = n, time.Now()
		case time.Since(moved) > 10*time.Second:
			return fmt.Errorf("%d deliveries are missing", want-n)
		}
	}
}

func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// disk loads the gateway once more and prints what that made it write.
func (b *bench) disk(p *party) error {
	written, err := p.written()
	if err != nil {
		return err
	}
	commits, err := p.metric("callboard_queue_commit_seconds_count")
	if err != nil {
		return err
	}
	n, _, err := loadFor(p.url, b.connections, b.round)
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // the journal writes within a second
	writtenAfter, err := p.written()
	if err != nil {
		return err
	}
	commitsAfter, err := p.metric("callboard_queue_commit_seconds_count")
	if err != nil {
		return err
	}
	fmt.Printf("\nfsyncs per callback %.3f (of the queue's log), bytes written per callback %.0f (journal and checkpoints included; the callback has %d)\n",
		(commitsAfter-commits)/float64(n), (writtenAfter-written)/float64(n), bodyLength())
	return nil
}

// written is how many bytes the process has had written to disk.
func (p *party) written() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, errors.New("reading /proc/PID/io: no write_bytes")
}

// metric reads one of Callboard's metrics that has no labels.
func (p *party) metric(name string) (float64, error) {
	text, err := get(p.admin + "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// latencies prints acknowledgement and delivery times at 1,000 callbacks a second.
func (b *bench) latencies(parties ...*party) error {
	fmt.Printf("\nat %d callbacks a second for %s%16s %10s %14s %10s\n", steadyRate, b.round, "answered p50", "p99", "delivered p50", "p99")
	for i, p := range parties {
		for _, s := range b.sinks {
			if _, err := get(s + "/ages"); err != nil { // forgets what was before
				return err
			}
		}
		taken, err := b.taken()
		if err != nil {
			return err
		}
		acks, err := loadSteadily(p.url, b.connections, b.round)
		if err != nil {
			return err
		}
		if err := b.waitTaken(taken + len(acks)*len(b.sinks)); err != nil {
			return err
		}
		text, err := get(b.sinks[0] + "/ages")
		if err != nil {
			return err
		}
		var p50, p99 float64
		if _, err := fmt.Sscan(text, &p50, &p99); err != nil {
			return err
		}
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		fmt.Printf("%-36s %12.2f ms %7.2f ms", []string{"bare, in memory", "callboard"}[i], ms(percentile(acks, 50)), ms(percentile(acks, 99)))
		if p50 > 0 { // the bare queue does not pass on when a callback was sent
			fmt.Printf(" %11.2f ms %7.2f ms", p50/1000, p99/1000)
		}
		fmt.Println()
	}
	return nil
}

const steadyRate = 1000

// loadSteadily sends steadyRate callbacks a second over all connections, whatever the answers take, and returns how long
// each took. Each carries its time as operation id.
func loadSteadily(target string, connections int, d time.Duration) ([]time.Duration, error) {
	raw, host, err := request(target, 0)
	if err != nil {
		return nil, err
	}
	due := make(chan time.Time, steadyRate)
	go func() {
		defer close(due)
		tick := time.NewTicker(time.Second / steadyRate)
		defer tick.Stop()
		for end := time.Now().Add(d); time.Now().Before(end); {
			due <- <-tick.C
		}
	}()
	var mu sync.Mutex
	var all []time.Duration
	var wg sync.WaitGroup
	errs := make([]error, connections)
	for i := range connections {
		wg.Go(func() {
			mine, err := driveSteadily(host, string(raw), due)
			mu.Lock()
			defer mu.Unlock()
			all, errs[i] = append(all, mine...), err
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

func driveSteadily(host, raw string, due <-chan time.Time) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for at := range due {
		stamp := fmt.Sprintf("%019d", at.UnixNano())
		if _, err := io.WriteString(conn, strings.ReplaceAll(raw, operationID, stamp)); err != nil {
			return nil, err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return nil, err
		}
		took = append(took, time.Since(at))
	}
	return took, nil
}
