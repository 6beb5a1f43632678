package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"callboard/openim"
)

// Codes that the demo's services refuse with.
const (
	codeScam  = 20031
	codeRisky = 20032
)

// A health says how a service is doing.
type health int32

const (
	well health = iota
	slow        // answers long after anybody's deadline
	down        // answers 503
)

// nap is how long a slow service takes, beyond the deadlines of examples/quickstart.
const nap = 2 * time.Second

// An answer is what a service replies: IMServer's common fields and what it likes to change.
type answer struct {
	ActionCode int    `json:"actionCode"`
	ErrCode    int    `json:"errCode"`
	ErrMsg     string `json:"errMsg"`
	ErrDlt     string `json:"errDlt"`
	NextCode   int    `json:"nextCode"`
	Content    string `json:"content,omitempty"`
}

func refusal(code int, message, detail string) answer {
	return answer{ErrCode: code, ErrMsg: message, ErrDlt: detail, NextCode: 1}
}

// service makes an HTTP handler of a function from callback to answer, as a team would write its own.
func service(answerTo func(*openim.Callback) answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the gateway has hung up
		}
		cb, err := openim.Decode(openim.Request{Path: r.URL.Path, RawQuery: r.URL.RawQuery, Header: r.Header, Body: body})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answerTo(cb)) // the gateway may have hung up
	})
}

var (
	banned = []string{"refund-scam", "free-crypto"}
	rough  = strings.NewReplacer("damn", "****", "bloody", "******")
)

// moderate refuses what has a banned word in it, and masks rough ones where content may be changed.
func moderate(cb *openim.Callback) answer {
	text := cb.Text()
	if text == "" {
		text = cb.Value("groupName", openim.String).(string)
	}
	for _, word := range banned {
		if strings.Contains(strings.ToLower(text), word) && cb.Phase() == openim.Before {
			return refusal(codeScam, "This looks like a scam", "banned word: "+word)
		}
	}
	if masked := rough.Replace(text); masked != text && cb.Command != nil && cb.Command.Short == "beforeMsgModify" {
		return answer{Content: textContent(masked)}
	}
	return answer{}
}

// A riskService scores messages. The player says how it is doing.
type riskService struct{ health atomic.Int32 }

func (s *riskService) set(h health) { s.health.Store(int32(h)) }

func (s *riskService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scored := service(s.score)
	switch health(s.health.Load()) {
	case slow:
		scored = service(func(cb *openim.Callback) answer {
			select { // the body has been read by now, so that the server notices a hang-up
			case <-time.After(nap):
			case <-r.Context().Done():
			}
			return s.score(cb)
		})
	case down:
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	scored.ServeHTTP(w, r)
}

// score refuses messages that send money to somebody new.
func (s *riskService) score(cb *openim.Callback) answer {
	if cb.Phase() == openim.Before && strings.Contains(cb.Text(), "new account") {
		return refusal(codeRisky, "Held back: this payment needs a second look", "score 0.93")
	}
	return answer{}
}

// An archiveService keeps count of what it is told.
type archiveService struct{ kept atomic.Int64 }

func (s *archiveService) keep(*openim.Callback) answer {
	s.kept.Add(1)
	return answer{}
}
