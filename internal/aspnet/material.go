package aspnet

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed rig
var material embed.FS

// unpack copies a folder of the material to dir.
func unpack(folder, dir string) error {
	sub, err := fs.Sub(material, "rig/"+folder)
	if err == nil {
		err = os.CopyFS(dir, sub)
	}
	if err != nil {
		return fmt.Errorf("aspnet: unpacking %s: %w", folder, err)
	}
	return nil
}

// copyFile is for what the build takes from Mono's installation.
func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(filepath.Clean(to), b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("aspnet: %w", err)
	}
	return nil
}
