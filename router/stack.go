package router

// growStack makes the goroutine's stack large enough for a request by net/http's client at once. It grows
// by doubling otherwise, and each time everything on it is copied and adjusted: measured, that was a twentieth of
// all CPU that callbacks took.
//
//go:noinline
func growStack() byte {
	var frame [6 << 10]byte
	return frame[use(frame[:])]
}

//go:noinline
func use(b []byte) int { return len(b) >> 20 }
