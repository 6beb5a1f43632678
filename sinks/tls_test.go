package sinks_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

// An authority issues certificates and keeps them in files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.issue("ca")
	return a
}

// issue makes a certificate for a name, the first one signed by itself, and returns its files.
func (a *authority) issue(name string) (cert, key string) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: a.cert == nil, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if a.cert == nil {
		a.cert, a.key = leaf, private
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, private.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "PRIVATE KEY", secret)
}

func (a *authority) write(file, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, file)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

func (a *authority) pool() *x509.CertPool {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, "ca.pem"))
	if err != nil {
		a.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// serveTLS serves over loopback, outside bubbles, with a certificate for inner.example.
func (a *authority) serveTLS(h http.Handler, clients tls.ClientAuthType) (url string) {
	a.t.Helper()
	cert, key := a.issue("inner.example")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		a.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: clients, ClientCAs: a.pool()}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	a.t.Cleanup(server.Close)
	return server.URL
}

func askOverTLS(t *testing.T, url string, settings sinks.TLS) sinks.Result {
	t.Helper()
	sink, err := sinks.New(sinks.Options{Name: "s", URL: url, TLS: settings})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	return sink.Ask(context.Background(), callback)
}

func TestTLS(t *testing.T) {
	ours, others, far := newAuthority(t), newAuthority(t), testkit.Script()
	open, closed := ours.serveTLS(far, tls.NoClientCert), ours.serveTLS(far, tls.RequireAndVerifyClientCert)
	plain := httptest.NewServer(far)
	t.Cleanup(plain.Close)

	ca, otherCA, name := filepath.Join(ours.dir, "ca.pem"), filepath.Join(others.dir, "ca.pem"), "inner.example"
	cert, key := ours.issue("callboard")
	for url, settings := range map[string]sinks.TLS{
		open:   {CA: ca, ServerName: name},
		closed: {CA: ca, ServerName: name, Cert: cert, Key: key},
	} {
		wantVote(t, askOverTLS(t, url, settings), openim.Allow)
	}
	for _, got := range far.Got() {
		if got.Proto != "HTTP/2.0" {
			t.Errorf("got %s, want HTTP/2.0", got.Proto)
		}
	}

	for about, c := range map[string]struct {
		url    string
		tls    sinks.TLS
		reason string // part of it
	}{
		"the system does not know the authority":  {open, sinks.TLS{ServerName: name}, "no connection: x509: certificate signed by unknown authority"},
		"it is not the authority asked for":       {open, sinks.TLS{CA: otherCA, ServerName: name}, "no connection: x509: certificate signed by unknown authority"},
		"the name must fit":                       {open, sinks.TLS{CA: ca}, "no connection: x509: "},
		"a sink without TLS is recognised":        {strings.Replace(plain.URL, "http:", "https:", 1), sinks.TLS{CA: ca}, "no connection: the sink does not speak TLS"},
		"plain HTTP where TLS is wanted is heard": {strings.Replace(open, "https:", "http:", 1), sinks.TLS{}, "HTTP 400"},
	} {
		t.Run(about, func(t *testing.T) {
			r := askOverTLS(t, c.url, c.tls)
			if r.Answer.Vote != openim.Failed || !strings.Contains(r.Answer.Reason, c.reason) || r.Attempts != 1 {
				t.Errorf("got %+v, want failed after one attempt with %q", r, c.reason)
			}
		})
	}
	// In TLS 1.3 the client is done before the server has looked at its certificate, so the reason depends on how
	// far the request got.
	wantVote(t, askOverTLS(t, closed, sinks.TLS{CA: ca, ServerName: name}), openim.Failed)
	if got := len(far.Got()); got != 2 {
		t.Errorf("the sink was reached %d times, want 2", got)
	}
}

// Certificates get renewed, and a delivery can wait for that.
func TestABadCertificateDelaysADelivery(t *testing.T) {
	sink, err := sinks.New(sinks.Options{Name: "s", URL: newAuthority(t).serveTLS(testkit.Script(), tls.NoClientCert), TLS: sinks.TLS{ServerName: "inner.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	wantTaken(t, sink.Deliver(t.Context(), delivery), retry, "no connection: x509: certificate signed by unknown authority")
}
