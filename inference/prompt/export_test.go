package prompt

// Clip is the tokenizer of CLIP for tests outside of the package.
var Clip = clip
