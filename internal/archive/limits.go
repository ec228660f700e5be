package archive

// The default limits: Scaleway's documented limits of a function's code, and limits of
// Jeton where Scaleway documents none.
const (
	// MaxPacked bounds the size of an archive, in bytes. The source is Scaleway's
	// documentation of function limits.
	MaxPacked = 100 << 20
	// MaxUnpacked bounds the total size of the files, in bytes. The source is the same
	// page.
	MaxUnpacked = 500 << 20
	// MaxEntries is the maximum of a zip without the ZIP64 extension.
	MaxEntries = 1<<16 - 1
	// MaxNameBytes bounds the path of an entry. Together with the folder that the archive
	// is unpacked into, it must fit the 4096 bytes of PATH_MAX.
	MaxNameBytes = 1024
)

const (
	// maxElementBytes bounds the name of one file or folder: NAME_MAX of common file
	// systems.
	maxElementBytes = 255
	// maxDepth bounds the depth of an entry. Builds and backups walk at most 128 levels,
	// which include a few folders of their own.
	maxDepth = 96
	// directoryBytesPerEntry bounds the memory for listing an archive: its central
	// directory may have this many bytes for each allowed entry.
	directoryBytesPerEntry = 256
	// directorySearch bounds the bytes read to find the central directory: a zip ends
	// with a comment of up to 64 KiB, and reads are buffered.
	directorySearch = 128 << 10
)

// Limits bound an archive. A zero field means the constant with the same name and the
// prefix Max.
type Limits struct {
	// Packed and Unpacked are in bytes.
	Packed, Unpacked int64
	// Entries is the number of files and folders.
	Entries int
	// NameBytes is the length of an entry's path, in bytes.
	NameBytes int
}

func (l Limits) orDefaults() Limits {
	if l.Packed == 0 {
		l.Packed = MaxPacked
	}
	if l.Unpacked == 0 {
		l.Unpacked = MaxUnpacked
	}
	if l.Entries == 0 {
		l.Entries = MaxEntries
	}
	if l.NameBytes == 0 {
		l.NameBytes = MaxNameBytes
	}
	return l
}
