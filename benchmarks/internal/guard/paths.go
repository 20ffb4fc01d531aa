package guard

import "slices"

// Paths are those that are guarded.
func Paths() []Path {
	return slices.Concat(codecPaths(), wirePaths(), servicePaths(), storePaths(), pagePaths())
}

// simple is a path that holds nothing open.
func simple(name, beside string, open func() (func() error, error)) Path {
	return Path{name, beside, func() (func() error, func(), error) {
		run, err := open()
		return run, func() {}, err
	}}
}
