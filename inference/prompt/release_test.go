package prompt_test

import (
	"slices"
	"testing"

	"realword/inference/bundle"
	"realword/inference/prompt"
)

// TestReleaseNegative: the text of the release preset is the 75 tokens that the released programs send.
func TestReleaseNegative(t *testing.T) {
	want := []int64{
		33287, 11478, 13720, 2361, 561, 6528, 267, 2103, 15376, 267, 1518, 15630, 267, 21101, 8893, 1710, 267, 38626, 267, 12598, 943, 267, 4231, 32363, 267,
		8159, 267, 16218, 267, 21101, 8893, 3500, 267, 3423, 32363, 267, 12619, 34886, 267, 1518, 27506, 34886, 267, 1662, 6528, 3500, 267, 21977, 267, 22944,
		13796, 12598, 943, 3500, 537, 9690, 13720, 8, 2361, 2505, 2110, 267, 2505, 12360, 267, 45774, 14986, 943, 267, 30951, 267, 23781, 775, 3500, 267,
	}
	p := prompt.Clip(t).Encode(bundle.ReleaseNegative)
	if p.Tokens != 75 || !slices.Equal(p.IDs[1:76], want) {
		t.Errorf("%d tokens %v", p.Tokens, p.IDs)
	}
}
