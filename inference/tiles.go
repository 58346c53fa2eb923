package inference

// tiledDecoder is the decoder that works on strips of the picture: the same result in less memory, see network.TiledDecoderGraph.
const tiledDecoder = "decoder_tiled"

// stripCells is about how many latent cells a strip has: 4 rows of 1024 pixels. Smaller ones cost time in the halo of every
// convolution, larger ones memory, and a cancelled run waits for the convolution of one strip.
const stripCells = 512

// decoder says which graph decodes a latent of h × w cells. Tiny pictures gain nothing from strips.
func (g *Graphs) decoder(h, w int) string {
	if g.model.Graph(tiledDecoder) == "" || strips(h, w) < 4 {
		return "decoder"
	}
	return tiledDecoder
}

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
