//go:build !linux

package stateservice_test

// descriptors: a number that every system has.
func descriptors(want int) int { return min(want, 2000) }
