package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// logFlags are the flags that say what is logged and how.
type logFlags struct {
	LogLevel  string `default:"info" enum:"debug,info,warn,error" env:"CALLBOARD_LOG_LEVEL" help:"Least level that is logged. One line a callback is info."`
	LogFormat string `default:"text" enum:"text,json" env:"CALLBOARD_LOG_FORMAT" help:"Form of the log on standard error."`
}

// logExit is how long the last lines may take to be written when the process ends.
const logExit = time.Second

// start returns a logger that writes to w from a goroutine of its own, and a function that writes
// what is left and ends it. Metrics go to reg.
func (f logFlags) start(w io.Writer, reg prometheus.Registerer) (*slog.Logger, func()) {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.LogLevel)) // one of the enum
	format := func(w io.Writer) slog.Handler {
		o := &slog.HandlerOptions{Level: level}
		if f.LogFormat == "json" {
			return slog.NewJSONHandler(w, o)
		}
		return slog.NewTextHandler(w, o)
	}
	buffer := newLogBuffer(w)
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "callboard_log_lines_dropped_total",
		Help: "Log lines dropped because standard error did not take them.",
	}, func() float64 { return float64(buffer.Dropped()) }))

	notice := func(dropped int64) []byte {
		var line bytes.Buffer
		slog.New(format(&line)).Error("log lines dropped", "n", dropped)
		return line.Bytes()
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer.run(ctx, notice)
	}()
	return slog.New(newLogHandler(buffer, level, format)), func() {
		end()
		select {
		case <-done:
		case <-time.After(logExit): // a stuck writer must not keep the process
		}
	}
}
