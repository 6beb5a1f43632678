// Package testkit has what tests share: an in-memory network that works inside synctest
// bubbles, sinks that answer by script, and a caller that behaves like IMServer.
package testkit
