package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"callboard/openim"
)

// What IMServer's clients send, version by version (observed).
func TestSendLooksLikeIMServer(t *testing.T) {
	const name = "callbackAfterUserOnlineCommand"
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}`)
	}))
	defer server.Close()

	for version, want := range map[string]string{
		"v3.7": "/hook/" + name,
		"v3.5": "/hook/" + name,
		"v3.0": "/hook?command=" + name,
		"v2":   "/hook",
	} {
		code, _, stderr := runWith(t, nil, "send", "--openim", version, "--url", server.URL+"/hook",
			"--command", "afterUserOnline", "--set", "operationID=op-1", "--header", "X-Tenant: t1")
		if code != exitOK {
			t.Fatalf("%s: exit code %d: %s", version, code, stderr)
		}
		if got.Method != http.MethodPost || got.RequestURI != want {
			t.Errorf("%s: %s %s, want POST %s", version, got.Method, got.RequestURI, want)
		}
		if got.Header.Get("Content-Type") != "application/json; charset=utf-8" || got.ContentLength != int64(len(body)) ||
			got.Header.Get("X-Tenant") != "t1" {
			t.Errorf("%s: headers %v, length %d", version, got.Header, got.ContentLength)
		}
		if id := got.Header.Get("Operationid"); (id == "op-1") == (version == "v2") {
			t.Errorf("%s: header operationID is %q", version, id)
		}
		if cb, err := openim.Decode(openim.Request{Body: body}); err != nil || cb.Name != name {
			t.Errorf("%s: the body does not decode: %v", version, err)
		}
	}
}

func TestSendSetsTheHost(t *testing.T) {
	host := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host <- r.Host }))
	defer server.Close()
	runWith(t, nil, "send", "--url", server.URL, "--command", "afterUserOnline", "--header", "host: im.example.com")
	if got := <-host; got != "im.example.com" {
		t.Errorf("the host is %q", got)
	}
}

// Commands whose body has no operationID have one in the header all the same.
func TestSendAlwaysHasAnOperationID(t *testing.T) {
	got := make(map[string]bool)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got[r.Header.Get("Operationid")] = true
	}))
	defer server.Close()
	for range 2 {
		runWith(t, nil, "send", "--url", server.URL, "--command", "beforeAddBlack")
	}
	if len(got) != 2 || got[""] {
		t.Errorf("two callbacks had the operation ids %v", got)
	}
}
