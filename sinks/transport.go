package sinks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// TLS is how a sink is reached over https; files are read by New. The zero value uses the system's roots.
type TLS struct {
	CA         string // PEM file with the certificates to trust, instead of the system's
	Cert, Key  string // PEM files with the client certificate and its key: both or none
	ServerName string // expected in the sink's certificate, instead of the URL's host
}

// maxHeader bounds an answer's header.
const maxHeader = 64 << 10

// transport returns the RoundTripper of a sink whose options have their defaults.
//
// It is the sink's alone and keeps as many idle connections as there can be requests: Concurrency asks, and as many
// deliveries, until the sink is idle (idle.go). Connections in use have no bound here, so that neither waits for the
// other's. Answers are small, so that compression would cost more than it saves; HTTP_PROXY and its kin are obeyed, as
// users of Go programs expect.
func (o Options) transport(scheme string) (http.RoundTripper, error) {
	if o.Transport != nil {
		return o.Transport, nil
	}
	config, err := o.TLS.config(scheme)
	if err != nil {
		return nil, err
	}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		// net/http lets a dial outlive its request, for the next one to use. So it gets a bound of its own, beyond
		// the attempt's, which tells better what happened.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, 2*o.Timeout)
			defer cancel()
			return dial(ctx, network, address)
		},
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    2 * o.Timeout,
		ForceAttemptHTTP2:      true, // a custom dial turns it off
		MaxIdleConns:           2 * o.Concurrency,
		MaxIdleConnsPerHost:    2 * o.Concurrency,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
	}, nil
}

// config reads the files. It returns nil for the zero value.
func (t TLS) config(scheme string) (*tls.Config, error) {
	switch {
	case t == TLS{}:
		return nil, nil
	case scheme != "https":
		return nil, errors.New("it has TLS settings, but its URL is not https")
	case (t.Cert == "") != (t.Key == ""):
		return nil, errors.New("a client certificate needs both cert and key")
	}
	config := &tls.Config{ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("reading CA certificates: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading CA certificates: %s has no PEM certificate", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("reading client certificate %s with key %s: %w", t.Cert, t.Key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
