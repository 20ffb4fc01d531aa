//go:build !race

package guard

// Race: the race detector changes times and allocations.
const Race = false
