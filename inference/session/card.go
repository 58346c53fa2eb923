package session

// Card is a graphics card as far as it decides what fits into its memory.
type Card struct {
	Name  string // as Placed has it
	Total int64  // bytes of its memory; 0: not known
	Free  int64  // of them, before this process took any; 0: not known

	Graphs bool // graphs made for the card are opened where a model has them: the U-Net in half precision (Options.CUDA)
	Halves bool // matrices of large models stay in half precision, and become single one after the other
	Fused  bool // attention writes no maps out
}

// Memory is what of the card's memory this process can have as far as that is known; 0: nothing is.
func (c Card) Memory() int64 {
	if c.Free > 0 {
		return c.Free
	}
	return c.Total
}

// Carded is a Runtime that may compute in a graphics card's memory. ok is false where it computes in the processor's. The system is asked
// once, which may take a second. Card may be called from any goroutine.
type Carded interface{ Card() (c Card, ok bool) }
