package testkit

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"callboard/openim"
)

// What IMServer tells its client when a callback failed: its NetworkError and DataError.
const (
	NetworkError = 90004
	DataError    = 90007
)

// An IMServer makes callbacks as the webhook client of IMServer v3.7 and later does (observed): one POST,
// a fresh context, redirects followed, the status ignored, and trouble of any kind a refusal.
type IMServer struct {
	// URL is the url of webhooks.yml. It and the command are joined as text with one slash.
	URL string
	// Transport carries the callbacks.
	Transport http.RoundTripper
	// Timeout bounds the whole exchange. Zero means 5 seconds.
	Timeout time.Duration
	// Version decides how replies are read.
	Version openim.Version
}

// An Outcome is what came of one callback.
type Outcome struct {
	openim.Reading
	Err      error  // why no reply came, behind a NetworkError
	Status   int    // of the reply, which IMServer ignores
	Reply    string // as it came
	Duration time.Duration
}

// Call makes one callback. Command is a wire name.
func (s *IMServer) Call(command, operationID string, body []byte) Outcome {
	begun := time.Now()
	o := s.post(command, operationID, body)
	o.Duration = time.Since(begun)
	if o.Err != nil {
		o.Reading = openim.Reading{Refused: true, Code: NetworkError, Message: "NetworkError", Why: "no reply came"}
		return o
	}
	known, _ := openim.Lookup(command)
	o.Reading = openim.ReadReply([]byte(o.Reply), known, s.Version)
	return o
}

func (s *IMServer) post(command, operationID string, body []byte) (o Outcome) {
	r, err := http.NewRequest(http.MethodPost, s.URL+"/"+command, bytes.NewReader(body))
	if err != nil {
		return Outcome{Err: err}
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Operationid", operationID)
	client := http.Client{Transport: s.Transport, Timeout: s.Timeout}
	if client.Timeout == 0 {
		client.Timeout = 5 * time.Second
	}
	resp, err := client.Do(r)
	if err != nil {
		return Outcome{Err: err}
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	return Outcome{Status: resp.StatusCode, Reply: string(reply), Err: err}
}
