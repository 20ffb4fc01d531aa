package report

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// ThisMachine is where the program runs. What the system does not say in /proc
// and /etc/os-release is left empty.
func ThisMachine() Machine {
	read := func(file string) string {
		b, _ := os.ReadFile(file)
		return string(b)
	}
	m := Machine{
		OS:        strings.Trim(field(read("/etc/os-release"), "PRETTY_NAME", "="), `"`),
		Arch:      runtime.GOARCH,
		Kernel:    strings.TrimSpace(read("/proc/sys/kernel/osrelease")),
		HugePages: chosen(read("/sys/kernel/mm/transparent_hugepage/enabled")),
		CPU:       field(read("/proc/cpuinfo"), "model name", ":"),
		CPUs:      runtime.NumCPU(),
	}
	if m.OS == "" {
		m.OS = runtime.GOOS
	}
	kib, _ := strconv.ParseFloat(strings.TrimSuffix(field(read("/proc/meminfo"), "MemTotal", ":"), " kB"), 64)
	m.MemoryGiB = math.Round(kib/(1<<20)*10) / 10
	return m
}

// field is the value of the first line "name <separator> value".
func field(text, name, separator string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// String is the machine in one line.
func (m Machine) String() string {
	parts := []string{}
	if m.CPU != "" {
		parts = append(parts, m.CPU)
	}
	cpus := strconv.Itoa(m.CPUs) + " CPUs"
	if m.CPUs == 1 {
		cpus = "1 CPU"
	}
	parts = append(parts, cpus)
	if m.MemoryGiB > 0 {
		parts = append(parts, fmt.Sprintf("%.1f GiB of memory", m.MemoryGiB))
	}
	parts = append(parts, m.OS)
	if m.HugePages != "" {
		parts = append(parts, "transparent huge pages: "+m.HugePages)
	}
	if m.Kernel != "" {
		parts = append(parts, "kernel "+m.Kernel)
	}
	return strings.Join(append(parts, m.Arch), ", ")
}

// Libraries are the versions of Go and of those modules in this program.
func Libraries(modules []string) map[string]string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return libraries(info, modules)
	}
	return libraries(&debug.BuildInfo{GoVersion: runtime.Version()}, modules)
}

func libraries(info *debug.BuildInfo, modules []string) map[string]string {
	versions := map[string]string{"Go": strings.TrimPrefix(info.GoVersion, "go")}
	for _, m := range info.Deps {
		if slices.Contains(modules, m.Path) {
			versions[m.Path] = m.Version
		}
	}
	return versions
}

// chosen is the one in brackets of "always [madvise] never".
func chosen(setting string) string {
	_, rest, _ := strings.Cut(setting, "[")
	value, _, _ := strings.Cut(rest, "]")
	return value
}
