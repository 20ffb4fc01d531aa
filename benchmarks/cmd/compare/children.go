package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endChildren ends the servers that this process started, as far as the system
// lists them in /proc. Elsewhere an interrupt from the terminal reaches them
// itself.
func endChildren() {
	lists, _ := filepath.Glob("/proc/self/task/*/children") // the pattern is well-formed
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, text := range strings.Fields(string(b)) {
			pid, err := strconv.Atoi(text)
			if err != nil {
				continue
			}
			if child, err := os.FindProcess(pid); err == nil {
				_ = child.Signal(syscall.SIGTERM) // it may have ended
			}
		}
	}
}
