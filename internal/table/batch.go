package table

import (
	"context"
	"fmt"

	"callboard/internal/queue"
	"callboard/sinks"
)

// mostShaped bounds in bytes the bodies of a batch that are made at the same time. The queue counts the bodies that came, and
// what is made of these may be many times as long.
const mostShaped = 16 << 20

// DeliverBatch makes one attempt for several deliveries. Those that cannot be made are refused by themselves once the sink has
// taken the others; until then they come to what those come to.
func (d deliverer) DeliverBatch(ctx context.Context, qs []queue.Delivery) (queue.Outcome, []queue.Outcome) {
	b := batch{outcomes: make([]queue.Outcome, len(qs)), sent: make([]int, 0, len(qs)), ds: make([]sinks.Delivery, 0, len(qs))}
	if tooLong := b.fill(d, qs); tooLong != nil {
		return *tooLong, nil
	}
	if len(b.ds) == 0 {
		return b.outcomes[0], nil
	}
	sent, each := d.sink.DeliverBatch(ctx, b.ds)
	whole := outcome(sent)
	if each == nil && (len(b.ds) == len(qs) || whole.Verdict != queue.Done) {
		return whole, nil
	}
	for i, place := range b.sent {
		if b.outcomes[place] = whole; each != nil {
			b.outcomes[place] = outcome(each[i])
		}
	}
	return whole, b.outcomes
}

// A batch is what the sink gets of some deliveries.
type batch struct {
	ds       []sinks.Delivery
	sent     []int           // where those stand among all
	outcomes []queue.Outcome // of all; those of the sent ones are still to come
}

// fill makes what can be made. One whose turn only comes after one that cannot be made waits for that. It returns how all end
// where they are too long together.
func (b *batch) fill(d deliverer, qs []queue.Delivery) (tooLong *queue.Outcome) {
	var held map[uint64]bool // lane → one that cannot be made stands in it
	bytes := 0
	for i := range qs {
		lane := qs[i].Lane
		if held[lane] {
			b.outcomes[i] = queue.Outcome{Verdict: queue.Again, Reason: "not sent: the one before it with the same key could not be made"}
			continue
		}
		made, refused := d.delivery(&qs[i])
		if refused != nil {
			b.outcomes[i] = *refused
			if lane != 0 {
				if held == nil {
					held = map[uint64]bool{}
				}
				held[lane] = true
			}
			continue
		}
		if bytes += len(made.Body); d.shaping != nil && bytes > mostShaped && len(qs) > 1 {
			return &queue.Outcome{Verdict: queue.Refused, Reason: fmt.Sprintf("not sent: more than %d MiB once shaped", mostShaped>>20)}
		}
		b.ds, b.sent = append(b.ds, made), append(b.sent, i)
	}
	return nil
}
