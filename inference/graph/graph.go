// Package graph names the graphs that a model is made of, one list for those who build, keep and run them.
//
// Contract: names are what manifests and folders hold, so they never change. A new graph is a new constant; the compiler or All finds
// every place that must know it.
package graph

// Name is the name of a graph in a manifest.
type Name string

// The graphs of a model.
const (
	Text         Name = "text"          // token ids -> text features, and the pooled text where the model has it
	Vision       Name = "vision"        // views of a reference -> visual tokens
	TextKV       Name = "text_kv"       // text features -> keys and values of every cross-attention layer
	VisionKV     Name = "vision_kv"     // visual tokens -> likewise
	UNet         Name = "unet"          // one pass, in any of its roles
	Decoder      Name = "decoder"       // latent -> picture
	TiledDecoder Name = "decoder_tiled" // the same on strips of the picture, in less memory
	Encoder      Name = "encoder"       // picture -> latent
	TiledEncoder Name = "encoder_tiled" // likewise
	Class        Name = "class"         // a view of a picture -> the class token of the encoder that has one
)

// What package bench compares with; no bundle has them.
const (
	Plain         Name = "plain"          // text-to-image alone
	Naive         Name = "naive"          // the generation branch as the paper writes it down
	NaiveGuidance Name = "naive_guidance" // its guidance branch
)

// All lists the graphs that the engine runs, in the order in which a picture needs them.
func All() []Name { return append(Required(), TiledDecoder, Encoder, TiledEncoder, Class) }

// Required lists those without which there is no picture. Without the encoder none begins with another one, and without the class token
// nothing tells how near a subject is to its reference.
func Required() []Name { return []Name{Text, Vision, TextKV, VisionKV, UNet, Decoder} }

// CUDA is the name of a graph as made for CUDA. No bundle has one of the encoders.
func (n Name) CUDA() Name { return n + "-cuda" }

// Once tells whether a graph runs once or twice for a picture, and not in every pass.
func (n Name) Once() bool { return n != UNet && n != Plain && n != Naive && n != NaiveGuidance }

// Heavy tells whether one of the graphs that run once has so much work in that run that a long opening pays: the image encoders multiply
// every weight with the thousands of rows of five views.
func (n Name) Heavy() bool { return n == Vision }
