//go:build !race

package stateservice_test

const raceEnabled = false
