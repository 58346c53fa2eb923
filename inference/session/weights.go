package session

// Weights says what a session keeps in memory of a graph's weights. Both ways compute in float32; results differ in the last bits.
type Weights int

const (
	// Auto takes what ChooseWeights says for the graph, with the memory that is available when it is opened.
	Auto Weights = iota
	// Packed converts all weights to float32 and reorders them for the matrix kernels when the graph is opened: the fastest
	// run, for the memory of all weights in float32, which nobody else can use.
	Packed
	// Mapped leaves the weights in their files, from where the operating system pages them in and drops them again as memory
	// allows; those of half precision are converted in every run, one after the other. Only convolutions have copies of their own.
	Mapped
)

func (w Weights) String() string { return [...]string{"auto", "packed", "mapped"}[w] }

// smallWeights are packed without looking: a toybox and every reduced network.
const smallWeights = 512 << 20

// ChooseWeights returns Packed where it pays and fits: float32 is the size of a graph's weights in float32, available the memory
// that programs may still take, both in bytes. A session that runs once does not win back the time that packing takes; SDXL's U-Net does
// after 14 to 24 passes, of which each takes a tenth less.
func ChooseWeights(float32, available int64, once bool) Weights {
	switch {
	case float32 <= smallWeights:
		return Packed
	case once || float32+float32/10*3 > available/2:
		return Mapped
	}
	return Packed
}
