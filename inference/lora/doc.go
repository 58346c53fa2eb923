// Package lora reads LoRA files and says what they do to the weights of a model: those of kohya's scripts, of diffusers and PEFT, and of
// LyCORIS (LoCon, LoHa, LoKr, full differences, norms, DoRA), for the U-Net and the text encoders, under the names of either program.
//
// Contract: it knows files, names and shapes, and neither graphs nor a runtime. Open reads a header; Fit compares it with the weights that
// a model has, by their names in diffusers and transformers, and says which keys fit nothing; Check reads the whole file once and finds
// what is no number; Combine makes of several files, each with its weight, what a run needs: two factors for every weight that they
// change in few ranks, W + B·A, and the whole changed weight for every other one. Factors keep the model's weights where they are; a
// changed weight is a copy of its own in float32, and only such are ever read from the model. At most one worker's tensors are held
// beside the result. Files of strangers may be anything: sizes are compared before memory is allocated, and every error is a sentence
// with a remedy. A File belongs to one goroutine; Combine uses several inside.
//
// A weight w stands for W + w·D, where D is what the file adds at its full weight. For DoRA D is the change of the decomposed weight, as
// A1111 and ComfyUI have it. Several files add up, each to the weights of the model. The numbers are those of PEFT's merge.
package lora
