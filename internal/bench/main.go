// Command bench measures what Callboard costs beside a bare net/http forwarder: the same sinks,
// the same closed-loop load, in turn, in one run. It prints the CPU that each took for a callback,
// their ratio, and Callboard's memory after many callbacks. Then it
// compares durable deliveries with bare queues, looks at how a big rule set loads and reloads, and at many deliveries
// that wait.
//
// Both run as they are by default. Callboard's default collects garbage less often than Go's does (see cmd/callboard/serve.go);
// GOGC in the environment sets it for both, which takes that part of the difference out.
//
// Each party is a process of its own, so that CPU and memory are the kernel's figures. Figures in
// microseconds depend on the machine; ratios hold better.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	if len(os.Args) > 1 && serveRole(os.Args[1], os.Args[2:]) {
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "load" { // by hand, beside a profiler: load URL DURATION
		d, err := time.ParseDuration(os.Args[3])
		if err == nil {
			var n int
			n, _, err = loadFor(os.Args[2], 32, d)
			fmt.Println(n, "callbacks")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	var b bench
	flag.IntVar(&b.connections, "connections", 32, "connections of the closed loop")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds, in each of which both are measured; medians are printed")
	flag.DurationVar(&b.round, "round", 4*time.Second, "time that each is loaded in a round")
	flag.IntVar(&b.million, "requests", 1_000_000, "callbacks before memory is read")
	flag.StringVar(&b.only, "only", "", "one part: await, durable, memory, reload, retry or million")
	flag.IntVar(&b.rules, "rules", 100_000, "rules of the part reload")
	flag.IntVar(&b.files, "files", 1000, "files that they are in")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	connections, rounds, million int
	rules, files                 int
	round                        time.Duration
	binary, only                 string
	sinks                        []string // URLs
}

func (b *bench) run() error {
	dir, err := os.MkdirTemp("", "callboard-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if b.binary, err = build(dir); err != nil {
		return err
	}
	for range 3 {
		s, err := startRole("sink")
		if err != nil {
			return err
		}
		defer s.stop()
		b.sinks = append(b.sinks, s.url)
	}
	fmt.Printf("closed loop of %d connections, the documented group-message callback; %d rounds of %s, medians\n", b.connections, b.rounds, b.round)
	for _, part := range []struct {
		name string
		run  func(dir string) error
	}{
		{"await", b.await},
		{"durable", b.durable},
		{"memory", b.memory},
		{"reload", b.reload},
		{"retry", b.waitingForRetry},
		{"million", b.waitingMillion},
	} {
		if b.only != "" && b.only != part.name {
			continue
		}
		if err := part.run(dir); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// await compares asking one sink, and three.
func (b *bench) await(dir string) error {
	fmt.Printf("\n%-14s %16s %16s %8s %12s %12s\n", "awaited sinks", "bare µs CPU", "callboard µs CPU", "ratio", "bare /s", "callboard /s")
	for _, n := range []int{1, 3} {
		if err := b.compare(dir, n); err != nil {
			return err
		}
	}
	return nil
}

// compare loads the bare forwarder and Callboard in turn.
func (b *bench) compare(dir string, sinks int) error {
	bare, err := startRole("bare", b.sinks[:sinks]...)
	if err != nil {
		return err
	}
	defer bare.stop()
	gateway, err := b.startAwaiting(dir, sinks)
	if err != nil {
		return err
	}
	defer gateway.stop()
	var ratios, bareCPU, gatewayCPU, bareRate, gatewayRate []float64
	for i := range b.rounds + 1 {
		x, err := measure(bare, b.connections, b.round)
		if err != nil {
			return fmt.Errorf("loading the bare forwarder: %w", err)
		}
		y, err := measure(gateway, b.connections, b.round)
		if err != nil {
			return fmt.Errorf("loading callboard: %w", err)
		}
		if i == 0 {
			continue // warm-up
		}
		ratios = append(ratios, y.cpu/x.cpu)
		bareCPU, gatewayCPU = append(bareCPU, x.cpu), append(gatewayCPU, y.cpu)
		bareRate, gatewayRate = append(bareRate, x.rate), append(gatewayRate, y.rate)
	}
	fmt.Printf("%-14d %16.1f %16.1f %8.2f %12.0f %12.0f\n", sinks, median(bareCPU), median(gatewayCPU), median(ratios), median(bareRate), median(gatewayRate))
	return nil
}

// startAwaiting starts Callboard with a rule that awaits the first sinks. It keeps nothing on disk, as the bare
// forwarder does.
func (b *bench) startAwaiting(dir string, sinks int) (*party, error) {
	rules, err := b.writeRules(dir, fmt.Sprintf("await%d", sinks), awaitRules(b.sinks[:sinks]))
	if err != nil {
		return nil, err
	}
	return b.startGateway(rules, "--data=")
}

// memory loads a fresh Callboard with many callbacks and reads its resident memory.
func (b *bench) memory(dir string) error {
	gateway, err := b.startAwaiting(dir, 1)
	if err != nil {
		return err
	}
	defer gateway.stop()
	n, elapsed, err := loadCount(gateway.url, b.connections, 0, b.million)
	if err != nil {
		return err
	}
	rss, peak, err := gateway.memory()
	if err != nil {
		return err
	}
	fmt.Printf("\nafter %d callbacks in %s: resident %.1f MiB, peak %.1f MiB\n", n, elapsed.Round(time.Second), rss, peak)
	return nil
}

// A sample is one party's figures over one round.
type sample struct {
	cpu  float64 // µs of CPU for a callback
	rate float64 // callbacks a second
}

func measure(p *party, connections int, d time.Duration) (sample, error) {
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	n, elapsed, err := loadFor(p.url, connections, d)
	if err != nil {
		return sample{}, err
	}
	after, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	return sample{cpu: float64((after - before).Microseconds()) / float64(n), rate: float64(n) / elapsed.Seconds()}, nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	if len(v) == 0 {
		return 0
	}
	return v[len(v)/2]
}
