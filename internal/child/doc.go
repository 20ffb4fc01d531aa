// Package child starts servers that do not outlive this process: on Linux however
// it ends, a crash included. It is for tests, examples and benchmarks.
package child
