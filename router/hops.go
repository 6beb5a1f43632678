package router

import (
	"fmt"
	"net/http"
	"strconv"
)

// hopsHeader counts the gateways that a callback has passed on its way here. Requests to sinks carry it, one higher.
const hopsHeader = "Callboard-Hops"

// MaxHops is how many gateways a callback may pass one after the other. A sink that is a gateway again, by design or by
// mistake, ends there instead of going round for ever.
const MaxHops = 4

// hops reads how many gateways a request has passed. A header that is no number counts as none: only a gateway sets it.
func hops(h http.Header) (int, error) {
	n, _ := strconv.ParseUint(h.Get(hopsHeader), 10, 16) // 0 when it is no number, the most when it is too large
	if n >= MaxHops {
		return int(n), fmt.Errorf("it has passed %d gateways already: a sink sends it back here", n)
	}
	return int(n), nil
}
