package when

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr/ast"
)

func shareOf(c *call) (float64, bool) {
	switch n := c.args[0].(type) {
	case *ast.IntegerNode:
		return float64(n.Value), true
	case *ast.FloatNode:
		return n.Value, true
	}
	return 0, false
}

// sampled decides by FNV-1a with a finalizer that spreads short keys evenly. Both are fixed for
// ever: a rule must choose the same users after an update and on every gateway.
func sampled(share float64, key any) bool {
	s, ok := key.(string)
	if !ok {
		return false
	}
	x := uint64(14695981039346656037)
	for i := range len(s) {
		x = (x ^ uint64(s[i])) * 1099511628211
	}
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return float64(x>>11)/(1<<53) < share
}

func checkNetworks(c *call) (int, string) {
	for i := 1; i < len(c.args); i++ {
		s, ok := c.text(i)
		if !ok {
			return i, "the network must be written out as text"
		}
		if _, err := parseNetwork(s); err != nil {
			return i, fmt.Sprintf("%q is no network such as 10.0.0.0/8 or fd00::/8", s)
		}
	}
	return 0, ""
}

func networksOf(c *call) []netip.Prefix {
	var networks []netip.Prefix
	for i := 1; i < len(c.args); i++ {
		s, _ := c.text(i)
		network, _ := parseNetwork(s)
		networks = append(networks, network)
	}
	return networks
}

// parseNetwork also takes an address, which is a network of its own. Mapped ones (::ffff:10.0.0.0/104)
// are networks of version four, as mapped addresses are addresses of it.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if mapping := 96; err == nil && p.Addr().Is4In6() && p.Bits() >= mapping {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapping)
	}
	return p.Masked(), err
}

func inNetworks(networks []netip.Prefix, ip any) bool {
	s, _ := ip.(string)
	s = strings.TrimSpace(s)
	addr, err := netip.ParseAddr(s)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return false
		}
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

var zones sync.Map // name → *time.Location: reading one costs a file each time

func loadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("zone depends on the machine")
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, zone)
	}
	return zone, err
}

func checkZone(c *call, i int) string {
	name, ok := c.text(i)
	if !ok {
		return "the time zone must be written out as text"
	}
	_, err := loadZone(name)
	return unless(err == nil, fmt.Sprintf("%q is no time zone such as Asia/Shanghai or UTC", name))
}

func zoneOf(c *call, i int) *time.Location {
	name, _ := c.text(i)
	zone, _ := loadZone(name)
	return zone
}

func checkHours(c *call) (int, string) {
	var minutes [2]int
	for i := range minutes {
		s, ok := c.text(i)
		if minutes[i], ok = clock(s, ok); !ok {
			return i, "the hour must be written out as text such as 09:00"
		}
	}
	if minutes[0] == minutes[1] {
		return 1, "both hours are the same, which leaves no time between them"
	}
	return 2, checkZone(c, 2)
}

func hoursOf(c *call) (from, to int, zone *time.Location) {
	f, _ := c.text(0)
	t, _ := c.text(1)
	from, _ = clock(f, true)
	to, _ = clock(t, true)
	return from, to, zoneOf(c, 2)
}

// clock reads 09:00 as minutes after midnight; 24:00 is the end of the day.
func clock(s string, ok bool) (int, bool) {
	hh, mm, found := strings.Cut(s, ":")
	h, errH := strconv.ParseUint(hh, 10, 8)
	m, errM := strconv.ParseUint(mm, 10, 8)
	if !ok || !found || errH != nil || errM != nil || len(mm) != 2 || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h*60 + m), true
}

func inHours(from, to int, now time.Time) bool {
	minute := now.Hour()*60 + now.Minute()
	if from < to {
		return from <= minute && minute < to
	}
	return from <= minute || minute < to
}

// weekdays are boxed once.
var weekdays = [7]any{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
