package main

import (
	"testing"

	"realword/inference/bundle"
)

// TestWrittenMaps: SDXL's maps at 1024 x 1024 made a machine of 24 GB kill the program, those at 512 x 512 did no harm.
func TestWrittenMaps(t *testing.T) {
	m := bundle.Manifest{Latent: bundle.Latent{Factor: 8}, Grid: 2}
	if n := writtenMaps(m, 1024, 1024) >> 30; n < 14 || n > 20 {
		t.Errorf("%d GB at 1024 x 1024, about 15 were seen", n)
	}
	if n := writtenMaps(m, 512, 512) >> 20; n < 500 || n > 2000 {
		t.Errorf("%d MB at 512 x 512", n)
	}
}
