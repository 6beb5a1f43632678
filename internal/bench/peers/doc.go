// Package peers matches the same rules as Callboard by other engines: that they agree is tested, and how long they take is
// measured, in one run. CEL (cel.dev/cel-go) is what many gateways and policies are written in.
package peers
