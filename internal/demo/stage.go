package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/console"
	"callboard/internal/diag"
	"callboard/internal/queue"
	"callboard/internal/queue/sqlite"
	"callboard/internal/table"
	"callboard/router"
	"callboard/rules"
)

// patience is how long ending a listener waits for what is in flight.
const patience = time.Second

// A stage is everything that runs during the demo.
type stage struct {
	show   *screen
	folder folder
	news   news

	services   map[string]string // environment variable of the rules → URL of the demo's service
	risk       *riskService
	archive    *archiveService
	compliance *complianceService
	queue      *queue.Queue
	gateway    *router.Gateway
	keeper     *table.Keeper
	callbacks  string // URL
	admin      string // URL
	metrics    *prometheus.Registry
	player     *player

	running []part // in the order of their start
}

// A part of the stage that has to be ended.
type part struct {
	name string
	end  func(context.Context) error
}

// setUp starts everything. Whatever it started is ended again when it returns an error.
func setUp(o Options, show *screen) (*stage, error) {
	s := &stage{show: show, risk: &riskService{}, archive: &archiveService{}, compliance: &complianceService{},
		services: make(map[string]string), metrics: prometheus.NewRegistry()}
	steps := []func(Options) error{s.findRules, s.startServices, s.startQueue, s.startGateway, s.startAdmin}
	for _, step := range steps {
		if err := step(o); err != nil {
			return nil, errors.Join(err, s.tearDown())
		}
	}
	return s, nil
}

// tearDown ends what runs, the last first.
func (s *stage) tearDown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	var errs []error
	for i := len(s.running) - 1; i >= 0; i-- {
		if err := s.running[i].end(ctx); err != nil {
			errs = append(errs, fmt.Errorf("ending %s: %w", s.running[i].name, err))
		}
	}
	s.running = nil
	return errors.Join(errs...)
}

func (s *stage) runs(name string, end func(context.Context) error) {
	s.running = append(s.running, part{name, end})
}

func (s *stage) findRules(o Options) (err error) {
	s.folder, err = findRules(o.Rules)
	if err == nil && s.folder.copied() && o.Once {
		s.runs("the copy of the rules", func(context.Context) error { return s.folder.remove() })
	}
	return err
}

// startServices starts what the rules ask, each on a free port.
func (s *stage) startServices(Options) error {
	for variable, handler := range map[string]http.Handler{
		"MODERATION_URL": service(moderate),
		"RISK_URL":       s.risk,
		"ARCHIVE_URL":    service(s.archive.keep),
		"COMPLIANCE_URL": s.compliance,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("starting a service: %w", err)
		}
		s.services[variable] = "http://" + l.Addr().String()
		s.serve("the service at "+l.Addr().String(), l, handler, 0) // the gateway has drained by then
	}
	return nil
}

// startQueue starts what delivers notifications, over a data folder that ends with the demo.
func (s *stage) startQueue(o Options) error {
	dir, err := os.MkdirTemp("", "callboard-demo-data-")
	if err != nil {
		return fmt.Errorf("making a data folder: %w", err)
	}
	s.runs("the data folder", func(context.Context) error { return os.RemoveAll(dir) })
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(dir, "queue.db"), Log: o.Log})
	if err != nil {
		return fmt.Errorf("opening the queue: %w", err)
	}
	s.queue, err = queue.New(context.Background(), queue.Options{Store: store, Log: o.Log, Registerer: s.metrics})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.queue.Run(ctx, patience) }()
	s.runs("the queue", func(context.Context) error {
		end()
		return <-ended
	})
	return nil
}

// startGateway starts the gateway on the rules, and the player that calls it.
func (s *stage) startGateway(o Options) error {
	watching := &traces{others: s.show.foreign}
	s.gateway = router.New(router.Options{Log: o.Log, Registerer: s.metrics, Queue: s.queue, OnTrace: func(t *router.Trace) {
		s.compliance.accepted(t)
		watching.on(t)
	}})
	s.keeper = table.New(table.Options{
		Dir:     s.folder.path,
		Rules:   rules.Options{LookupEnv: s.lookupEnv},
		Deliver: s.queue.SetSinks,
		Publish: s.gateway.Swap,
		Log:     o.Log,

		Registerer: s.metrics,
	})
	if found, err := s.keeper.Load(); err != nil {
		_ = diag.WriteText(o.Out, found) // the error says what matters
		return fmt.Errorf("loading the rules in %s: %w", s.folder.path, err)
	}
	s.news.told = s.keeper.Status()
	s.watch()

	l, err := s.listen(o.Listen)
	if err != nil {
		return fmt.Errorf("listening for callbacks: %w", err)
	}
	s.runs("the gateway", s.gateway.Drain)
	s.serve("the callback listener", l, s.gateway, patience)
	s.callbacks = "http://" + l.Addr().String()
	s.player = newPlayer(s.callbacks, watching)
	s.runs("the player", func(context.Context) error { s.player.close(); return nil })
	return nil
}

// startAdmin starts the admin listener.
func (s *stage) startAdmin(o Options) error {
	l, err := s.listen(o.Admin)
	if err != nil {
		return fmt.Errorf("listening for administrators: %w", err)
	}
	s.admin = "http://" + l.Addr().String()
	s.serve("the admin listener", l, console.New(console.Options{
		Status: s.keeper.Status, Reload: s.keeper.Load, Gatherer: s.metrics, Log: o.Log, Queue: s.queue,
	}), patience)
	return nil
}

// lookupEnv resolves the rules' ${env:…}: the demo's own services first.
func (s *stage) lookupEnv(name string) (string, bool) {
	if url, ok := s.services[name]; ok {
		return url, true
	}
	return os.LookupEnv(name)
}

// watch keeps the table current with the folder.
func (s *stage) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.keeper.Run(ctx) }()
	s.runs("watching the rules", func(context.Context) error {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

// serve answers on a listener until the stage is torn down. What is in flight then has so long to finish.
func (s *stage) serve(name string, l net.Listener, h http.Handler, grace time.Duration) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	s.runs(name, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		// Shutdown also waits for connections that were opened and never used, so that it takes its
		// time is no failure.
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // the listener is closed already, which is all that it could complain of
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// listen listens on address, or on a free port of its host when the port cannot be had.
func (s *stage) listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return nil, err
	}
	free, freeErr := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if freeErr != nil {
		return nil, err
	}
	s.show.printf("%s is not to be had (%v), so this uses %s\n", address, errors.Unwrap(err), free.Addr())
	return free, nil
}
