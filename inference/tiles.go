package inference

import (
	"realword/inference/graph"
	"realword/inference/session"
)

// stripCells is about how many latent cells a strip has: 4 rows of 1024 pixels. Smaller ones cost time in the halo of every
// convolution, larger ones memory, and a cancelled run waits for the convolution of one strip.
const stripCells = 512

// decoder says which graph decodes a latent of h × w cells.
func (g *Graphs) decoder(h, w int) graph.Name {
	if p, ok := g.runtime.(session.Placed); ok {
		if name, _ := p.Provider(); name != "CPU" {
			return graph.Decoder // strips wait for each other, which a graphics card does not like
		}
	}
	if g.model.Graph(graph.TiledDecoder) == "" || !tiled(h, w) {
		return graph.Decoder
	}
	return graph.TiledDecoder
}

// tiled tells whether a latent of h × w cells is decoded in strips. Tiny pictures gain nothing from them.
func tiled(h, w int) bool { return strips(h, w) >= 4 }

// strips returns into how many strips a latent is cut: the fewest that divide its rows and are not larger than stripCells.
func strips(h, w int) int {
	n := 1
	for ; n < h; n++ {
		if h%n == 0 && h/n*w <= stripCells {
			break
		}
	}
	return n
}
