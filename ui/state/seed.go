package state

import (
	"strconv"
	"strings"

	"realword/ui/i18n"
)

// ParseSeed reads what the user typed into the seed field; -1 and an empty field draw one.
func ParseSeed(text string) (uint64, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "-1" {
		return DrawSeed(), nil
	}
	seed, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, i18n.Errorf("a seed is a whole number from 0 to %d", uint64(SeedLimit-1))
	}
	return seed, nil
}
