package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"callboard/internal/manyrules"
)

const (
	reloads      = 20
	betweenEdits = 2 * time.Second
	calmTime     = 20 * time.Second
	paceOf       = 40 * time.Millisecond  // between two callbacks of a connection
	debounce     = 200 * time.Millisecond // of the folder, see internal/table
)

// reload serves many rules from many files and changes one file every few seconds, under a steady load. It prints what
// loading takes, how soon a change is live, and what callbacks notice of it.
func (b *bench) reload(dir string) error {
	folder := filepath.Join(dir, "rules")
	made := manyrules.New(manyrules.Realistic, b.rules, 1)
	files := made.Files(b.files, b.sinks[0])
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(folder, f.Name), f.Data, 0o644); err != nil {
			return err
		}
	}
	start := time.Now()
	gateway, err := b.startGateway(folder, "--data", filepath.Join(dir, "reload-data"), "--journal-max-age", "0")
	if err != nil {
		return err
	}
	defer gateway.stop()
	ready := time.Since(start)
	loaded, err := gateway.lastLoad()
	if err != nil {
		return err
	}
	cpu, err := gateway.cpu()
	if err != nil {
		return err
	}
	resident, peak, err := gateway.memory()
	if err != nil {
		return err
	}
	fmt.Printf("\n%d rules in %d files: loaded in %.2f s, ready after %.2f s, %.2f s CPU; resident %.0f MiB, peak %.0f MiB\n",
		b.rules, len(files), loaded.seconds, ready.Seconds(), cpu.Seconds(), resident, peak)

	steady, err := startSteady(gateway.url, b.connections, made.Bodies(2000))
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // warm-up
	calmFrom, cpuBefore := time.Now(), must(gateway.cpu())
	time.Sleep(calmTime)
	calmUntil := time.Now()
	calmCPU := must(gateway.cpu()) - cpuBefore
	var live []float64
	var during []span
	cpuBefore = must(gateway.cpu())
	for i := range reloads {
		f := files[1+(i*37)%(len(files)-1)]
		edited := bytes.Replace(f.Data, []byte("when: "), []byte(fmt.Sprintf("when: sendTime > %d && ", i)), 1)
		from := time.Now()
		if err := os.WriteFile(filepath.Join(folder, f.Name), edited, 0o644); err != nil {
			return err
		}
		at, err := gateway.loadedAfter(from)
		if err != nil {
			return err
		}
		live = append(live, milliseconds(at.Sub(from)-debounce))
		during = append(during, span{from.Add(debounce), at.Add(100 * time.Millisecond)}) // what the old table leaves is collected, too
		time.Sleep(betweenEdits)
	}
	reloadCPU := must(gateway.cpu()) - cpuBefore
	reloadTime := time.Since(calmUntil)
	answers, err := steady.end()
	if err != nil {
		return err
	}
	if loaded, err = gateway.lastLoad(); err != nil {
		return err
	}
	if resident, peak, err = gateway.memory(); err != nil {
		return err
	}
	slices.Sort(live)
	calm, busy := answers.within([]span{{calmFrom, calmUntil}}), answers.within(during)
	extra := float64(reloadCPU.Milliseconds()) - float64(calmCPU.Milliseconds())*reloadTime.Seconds()/calmUntil.Sub(calmFrom).Seconds()
	fmt.Printf("one file changed, %d times: live %.0f ms after the debounce (median; at most %.0f), %.0f ms CPU each; of the last, %s\n",
		reloads, median(live), live[len(live)-1], extra/reloads, loaded)
	fmt.Printf("resident %.0f MiB, peak %.0f MiB\n", resident, peak)
	fmt.Printf("%-34s %10s %10s %10s %10s\n", "answers, "+strconv.Itoa(int(float64(b.connections)/paceOf.Seconds()))+"/s", "callbacks", "p50 ms", "p99 ms", "max ms")
	for _, l := range []struct {
		name string
		took []time.Duration
	}{{"calm", calm}, {"from debounce to 100 ms after live", busy}} {
		fmt.Printf("%-34s %10d %10.2f %10.2f %10.2f\n", l.name, len(l.took),
			milliseconds(percentile(l.took, 50)), milliseconds(percentile(l.took, 99)), milliseconds(percentile(l.took, 100)))
	}
	fmt.Printf("p99 while reloading is %.2f × the calm one\n", milliseconds(percentile(busy, 99))/milliseconds(percentile(calm, 99)))
	return nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// A loadWork is what the gateway's metrics say of its last load.
type loadWork struct {
	seconds                             float64
	read, keptFiles, compiled, keptOnes float64
}

func (w loadWork) String() string {
	return fmt.Sprintf("%.0f files read and %.0f kept, %.0f conditions compiled and %.0f kept, %.0f ms", w.read, w.keptFiles, w.compiled, w.keptOnes, w.seconds*1000)
}

func (p *party) lastLoad() (loadWork, error) {
	resp, err := http.Get(p.admin + "/metrics")
	if err != nil {
		return loadWork{}, err
	}
	defer resp.Body.Close()
	var w loadWork
	values := map[string]*float64{
		"callboard_config_last_load_duration_seconds":            &w.seconds,
		`callboard_config_last_load_files{work="read"}`:          &w.read,
		`callboard_config_last_load_files{work="kept"}`:          &w.keptFiles,
		`callboard_config_last_load_conditions{work="compiled"}`: &w.compiled,
		`callboard_config_last_load_conditions{work="kept"}`:     &w.keptOnes,
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if into := values[name]; into != nil {
			if *into, err = strconv.ParseFloat(value, 64); err != nil {
				return w, err
			}
		}
	}
	return w, lines.Err()
}

// loadedAfter waits for a table that was published after a moment and returns when.
func (p *party) loadedAfter(from time.Time) (time.Time, error) {
	for time.Since(from) < time.Minute {
		resp, err := http.Get(p.admin + "/readyz")
		if err != nil {
			return time.Time{}, err
		}
		var ready struct {
			Rules struct {
				LoadedAt time.Time `json:"loaded_at"`
			} `json:"rules"`
		}
		err = json.NewDecoder(resp.Body).Decode(&ready)
		resp.Body.Close()
		if err != nil {
			return time.Time{}, err
		}
		if ready.Rules.LoadedAt.After(from) {
			return ready.Rules.LoadedAt, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Time{}, fmt.Errorf("a change was not live within a minute")
}

// A span is a stretch of time.
type span struct{ from, until time.Time }

// A steady load sends callbacks at a steady pace, whatever the answers take.
type steady struct {
	stop    chan struct{}
	wg      sync.WaitGroup
	mu      sync.Mutex
	answers answers
	err     error
}

// An answer is when a callback was due and how long after that it was answered.
type answer struct {
	due  time.Time
	took time.Duration
}

type answers []answer

// within returns how long the answers took to callbacks that were due within spans.
func (a answers) within(spans []span) []time.Duration {
	var l []time.Duration
	for _, x := range a {
		if slices.ContainsFunc(spans, func(s span) bool { return !x.due.Before(s.from) && x.due.Before(s.until) }) {
			l = append(l, x.took)
		}
	}
	return l
}

func startSteady(target string, connections int, bodies []manyrules.Body) (*steady, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	raw := make([][]byte, len(bodies))
	for i, body := range bodies {
		r, err := http.NewRequest(http.MethodPost, target+"/"+body.Command.Name, bytes.NewReader(body.Data))
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			return nil, err
		}
		raw[i] = b.Bytes()
	}
	s := &steady{stop: make(chan struct{})}
	for i := range connections {
		s.wg.Go(func() {
			list, err := s.drive(u.Host, raw, i, time.Duration(i)*paceOf/time.Duration(connections))
			s.mu.Lock()
			defer s.mu.Unlock()
			s.answers = append(s.answers, list...)
			if err != nil {
				s.err = err
			}
		})
	}
	return s, nil
}

func (s *steady) end() (answers, error) {
	close(s.stop)
	s.wg.Wait()
	return s.answers, s.err
}

// drive sends on one connection until the load ends. A callback that waits for the one before counts from when it was due.
func (s *steady) drive(host string, raw [][]byte, first int, offset time.Duration) (answers, error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	var list answers
	due := time.Now().Add(offset)
	for n := first; ; n += 31 {
		select {
		case <-s.stop:
			return list, nil
		default:
		}
		time.Sleep(time.Until(due))
		if _, err := conn.Write(raw[n%len(raw)]); err != nil {
			return list, err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return list, err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return list, err
		}
		if resp.StatusCode != http.StatusOK || !bytes.HasPrefix(body, []byte(`{"actionCode":0`)) {
			return list, fmt.Errorf("answer %d %s", resp.StatusCode, body)
		}
		list = append(list, answer{due, time.Since(due)})
		due = due.Add(paceOf)
	}
}
