package tool

import (
	"fmt"
	"io"
	"os"
)

// maxDescription is the maximum size in bytes of a file that the server itself reads from
// an archive.
const maxDescription = 8 << 20

// ReadDescription reads a file of an archive, such as a manifest. Returns fs.ErrNotExist,
// or an error for a file that is larger than 8 MiB.
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
