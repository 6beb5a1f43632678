package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"callboard/internal/console"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A serveCmd runs the gateway.
type serveCmd struct {
	Rules  string `default:"rules" env:"CALLBOARD_RULES" placeholder:"DIR" completion:"file" help:"Rules folder, or one rules file. Watched: an edit counts within a second, a wrong one leaves the old rules serving."`
	Listen string `default:":8080" env:"CALLBOARD_LISTEN" placeholder:"ADDRESS" help:"Where IMServer's callbacks arrive; port 0 takes a free one."`
	Admin  string `default:"127.0.0.1:8081" env:"CALLBOARD_ADMIN" placeholder:"ADDRESS" help:"Where /healthz, /readyz, /metrics, the API below /api/ and /debug/pprof/ are. It asks nobody who they are."`

	OpenIM       string        `name:"openim" default:"v3.7" enum:"v2,v3.0,v3.5,v3.7" env:"CALLBOARD_OPENIM" help:"The IMServer that replies are written for; v3.7 stands for everything later too."`
	AnswerWithin time.Duration `default:"4s" env:"CALLBOARD_ANSWER_WITHIN" help:"The budget of a callback. Keep it a second below the timeout in webhooks.yml, 5 s unless changed."`
	OnTrouble    string        `default:"allow" enum:"allow,refuse" env:"CALLBOARD_ON_TROUBLE" help:"What callbacks get that cannot be handled (broken JSON, no rules yet, overload, notifications that cannot be kept)."`
	MaxBody      byteSize      `default:"8MiB" env:"CALLBOARD_MAX_BODY" placeholder:"SIZE" help:"Largest callback body; larger ones are trouble."`
	MaxInFlight  int           `default:"4096" env:"CALLBOARD_MAX_IN_FLIGHT" placeholder:"N" help:"Callbacks handled at one time; more are trouble."`

	Dedup time.Duration `default:"0s" env:"CALLBOARD_DEDUP" help:"How long the same callback is recognised, answered as before and not delivered again; dedup in the rules goes first. 0: never."`

	storageFlags
	shadowFlags

	IdleTimeout     time.Duration `default:"10m" env:"CALLBOARD_IDLE_TIMEOUT" help:"How long a connection without callbacks is kept. Long on purpose: IMServer refuses the action whose callback meets a closing connection."`
	DrainDelay      time.Duration `default:"1s" env:"CALLBOARD_DRAIN_DELAY" help:"How long /readyz says 503 at the end before connections are no longer accepted, so that load balancers turn away first."`
	ShutdownTimeout time.Duration `default:"15s" env:"CALLBOARD_SHUTDOWN_TIMEOUT" help:"How long callbacks and deliveries in flight may take to finish after that."`
	ReadyFile       string        `env:"CALLBOARD_READY_FILE" placeholder:"FILE" completion:"file" help:"Write process id and real addresses as JSON to this file when both listeners are open, and remove it at the end. Default: none."`

	logFlags
}

// Help shows an example.
func (serveCmd) Help() string {
	return `Put http://HOST:8080 as url into IMServer's webhooks.yml. Without usable rules the gateway runs, answers every
callback as --on-trouble says, and waits for the fix.

SIGHUP reads the rules now. SIGTERM and SIGINT finish what is in flight and exit; a second one exits at once.

Example:

	$ callboard serve --rules ./rules
	$ CALLBOARD_RULES=/etc/callboard CALLBOARD_LOG_FORMAT=json callboard serve
`
}

// clientCap is the longest that IMServer's client waits, whatever webhooks.yml says (v3.7 client, observed).
const clientCap = 15 * time.Second

// Validate checks what the types of the flags do not.
func (c serveCmd) Validate() error {
	switch {
	case c.AnswerWithin <= 0 || c.AnswerWithin > clientCap:
		return fmt.Errorf("--answer-within must be more than 0 and at most %v, after which IMServer has given up", clientCap)
	case c.MaxInFlight <= 0:
		return errors.New("--max-in-flight must be more than 0")
	case c.IdleTimeout <= 0 || c.DrainDelay < 0 || c.ShutdownTimeout <= 0:
		return errors.New("--idle-timeout and --shutdown-timeout must be more than 0, --drain-delay at least 0")
	case c.Dedup != 0 && (c.Dedup < time.Second || c.Dedup > 24*time.Hour):
		return errors.New("--dedup must be 0, or between 1s and 24h")
	}
	return errors.Join(c.storageFlags.validate(), c.shadowFlags.validate())
}

// Run starts the parts one after the other, waits for the end, and stops them backwards. It is long
// because it is one straight wiring.
func (c serveCmd) Run(a *app) (err error) {
	version, err := openim.ParseVersion(c.OpenIM)
	if err != nil {
		return usageError("", "reading --openim: %w", err)
	}
	signal.Ignore(syscall.SIGPIPE) // who read our log may go, callbacks go on
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	gc := tuneGC(a.lookupEnv)
	registry := newRegistry()
	log, endLog := c.logFlags.start(a.stderr, registry)
	defer endLog()

	var draining atomic.Bool
	gatewayOptions := router.Options{
		Version:         version,
		AnswerWithin:    c.AnswerWithin,
		RefuseOnTrouble: c.OnTrouble == "refuse",
		MaxBody:         int64(c.MaxBody),
		MaxInFlight:     c.MaxInFlight,
		Log:             log,
		Registerer:      registry,
	}
	tableOptions := table.Options{
		Dir:          c.Rules,
		WithoutQueue: c.Data == "",
		Beside:       gc.during,
		Rules:        rules.Options{LookupEnv: a.lookupEnv, AnswerWithin: c.AnswerWithin, Dedup: c.Dedup},
		Log:          log,
		Registerer:   registry,
	}
	consoleOptions := console.Options{Draining: draining.Load, Gatherer: registry, Log: log}
	var kept *storage // nil without a data folder
	if c.Data != "" {
		if kept, err = c.openStorage(a.ctx, log, registry); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, kept.close()) }()
		gatewayOptions.Queue, tableOptions.Deliver = kept.queue, kept.queue.SetSinks
		consoleOptions.Queue = kept.queue
		if kept.journal != nil {
			gatewayOptions.OnTrace = kept.traced
			consoleOptions.Journal = kept.journal
		}
	}
	second, err := c.newCandidate(tableOptions, &gatewayOptions) // nil without one
	if err != nil {
		return err
	}
	gateway := router.New(gatewayOptions)
	tableOptions.Publish = gateway.Swap
	second.join(gateway, &tableOptions)
	keeper := table.New(tableOptions)
	consoleOptions.Status, consoleOptions.Reload, consoleOptions.Replay = keeper.Status, keeper.Load, replayer(gateway)
	second.show(&consoleOptions, c.Rules)

	consoleOptions.Explain = servingExplainer(gateway, gatewayOptions)

	adminListener, err := listen("admin", c.Admin)
	if err != nil {
		return err
	}
	admin := c.adminServer(console.New(consoleOptions), log)
	g, ctx := errgroup.WithContext(a.ctx)
	g.Go(func() error { return serve("admin", admin, adminListener) })
	log.Info("admin listener open", "address", adminListener.Addr().String())

	c.loadRules(keeper, log)
	second.start(ctx, g)
	if kept != nil {
		kept.start(g, c.ShutdownTimeout)
	}

	callbacks := c.callbacksServer(closingWhen(&draining, gateway), log)
	callbacksListener, err := listen("callbacks", c.Listen)
	if err != nil {
		if kept != nil {
			kept.stop(ctx)
		}
		return errors.Join(err, admin.Close(), g.Wait())
	}
	g.Go(func() error { return serve("callbacks", callbacks, callbacksListener) })
	g.Go(func() error { return keeper.Run(ctx) })
	g.Go(func() error { reloadOn(ctx, hangups, log, keeper.Reload, second.reload); return nil })
	log.Info("callbacks listener open", "address", callbacksListener.Addr().String(), "openim", version.String())

	if c.ReadyFile != "" {
		ready := readyFile{PID: os.Getpid(), Callbacks: callbacksListener.Addr().String(), Admin: adminListener.Addr().String()}
		defer func() { err = errors.Join(err, removeReadyFile(c.ReadyFile)) }()
		if err := ready.write(c.ReadyFile); err != nil {
			g.Go(func() error { return err }) // ends everything as any other failure does
		}
	}
	g.Go(func() error {
		<-ctx.Done()
		log.Info("shutting down", "drain_delay", c.DrainDelay, "timeout", c.ShutdownTimeout)
		draining.Store(true)
		return c.stop(callbacks, callbacksListener, gateway, kept, admin)
	})
	err = g.Wait()
	log.Info("stopped")
	return err
}

// newRegistry has the metrics of the process itself.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return registry
}

// loadRules loads the rules for the first time. Wrong ones keep nobody from starting: IMServer needs answers.
func (c serveCmd) loadRules(keeper *table.Keeper, log *slog.Logger) {
	if _, err := keeper.Load(); err != nil {
		path, absErr := filepath.Abs(c.Rules)
		if absErr != nil {
			path = c.Rules
		}
		log.Error("no rules serve: callbacks get what --on-trouble says until the rules are right",
			"rules", path, "on_trouble", c.OnTrouble, "err", err)
	}
}

// reloadOn reloads the rules at each SIGHUP until ctx ends.
func reloadOn(ctx context.Context, hangups <-chan os.Signal, log *slog.Logger, reload ...func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			log.Info("reloading rules on SIGHUP")
			for _, now := range reload {
				now()
			}
		}
	}
}

// serve runs a server on a listener until one of them is closed.
func serve(name string, s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("serving the %s listener: %w", name, err)
	}
	return nil
}
