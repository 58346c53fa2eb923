package synthetic

import (
	"encoding/json"
	"fmt"
	"strings"
)

// tokenizerFiles makes a CLIP tokenizer of the given number of ids: the symbols of all bytes, alone and at the end of a word, and
// pairs of them. The second encoder of stock SDXL pads with "!", id 0; the first with its
// end token.
func tokenizerFiles(size int, pad string) map[string][]byte {
	var symbols []string
	other := rune(256) // bytes that do not print have the characters from here on (GPT-2)
	for b := range rune(256) {
		if b > ' ' && b < 127 || b > 160 && b != 173 {
			symbols = append(symbols, string(b))
		}
	}
	for len(symbols) < 256 {
		symbols = append(symbols, string(other))
		other++
	}
	const start, end, suffix = "<|startoftext|>", "<|endoftext|>", "</w>"
	vocabulary := map[string]int{}
	for i, s := range symbols {
		vocabulary[s], vocabulary[s+suffix] = i, 256+i
	}
	merges := []string{"#version: 0.2"}
	for i := 0; len(vocabulary) < size-2; i++ {
		left, right := symbols[i/256], symbols[i%256]+suffix
		merges = append(merges, left+" "+right)
		vocabulary[left+right] = len(vocabulary)
	}
	vocabulary[start] = size - 2
	vocabulary[end] = size - 1
	config := fmt.Appendf(nil, `{"tokenizer_class":"CLIPTokenizer","model_max_length":77,"bos_token":%q,"eos_token":%q,`+
		`"unk_token":%q,"pad_token":%q}`+"\n",
		start, end, end, pad)
	vocab, err := json.Marshal(vocabulary)
	if err != nil {
		panic(err) // a map of strings to numbers
	}
	return map[string][]byte{
		"vocab.json": append(vocab, '\n'), "merges.txt": []byte(strings.Join(merges, "\n") + "\n"),
		"tokenizer_config.json": config,
	}
}
