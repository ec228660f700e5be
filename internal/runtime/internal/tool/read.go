package tool

import (
	"fmt"
	"io"
	"os"
)

// maxDescription bounds a file of an archive that the server itself reads, in bytes.
const maxDescription = 8 << 20

// ReadDescription reads a file of an archive into memory. Returns an error that wraps
// fs.ErrNotExist if there is none, and another one for a file that is too large.
func ReadDescription(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxDescription+1))
	if err == nil && len(text) > maxDescription {
		err = fmt.Errorf("larger than %d bytes", maxDescription)
	}
	return text, err
}
