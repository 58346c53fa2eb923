package hub

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"realword/inference/files"
	"realword/inference/message"
)

// TokenFrom says where the token was found: the name of a variable of the environment, the path of the file, or "" where there is none.
func (c *Client) TokenFrom() string { return c.tokenFrom }

// SaveToken keeps a token in the file where the hub's own tools keep theirs, for this user alone to read, and uses it from now on; ""
// deletes the file. Space around it is dropped. A variable of the environment goes before the file, so with one it is refused.
func (c *Client) SaveToken(token string) error {
	token = strings.TrimSpace(token)
	switch {
	case c.tokenFrom != "" && c.tokenFrom != c.tokenFile:
		return message.Errorf("%s is set in the environment and is used before any other token: change it there", c.tokenFrom)
	case c.tokenFile == "":
		return message.New("there is no place for the token: set HF_HOME or HF_TOKEN_PATH")
	case len(token) >= maxToken ||
		strings.ContainsFunc(token, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' }):
		return message.New("that is no token: it is one word such as hf_AbCd…, without spaces")
	case token == "":
		if err := os.Remove(c.tokenFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		c.Token, c.tokenFrom = "", ""
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.tokenFile), 0o700); err != nil {
		return err
	}
	if err := files.Write(c.tokenFile, files.Private, []byte(token)); err != nil {
		return err
	}
	c.Token, c.tokenFrom = token, c.tokenFile
	return nil
}

// maxToken is how large a token's file may be, in bytes.
const maxToken = 4096
