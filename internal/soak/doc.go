// Package soak kills Callboard again and again while it works, and proves that nothing acknowledged was lost or came out of
// order. It has tests only: a short run with all others, a long one with make soak.
package soak
