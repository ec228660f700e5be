package archive

// Scaleway's documented limits of a function's code, and our own where its
// documentation names none.
const (
	// MaxPacked is the size of an archive, in bytes, from Scaleway's
	// documentation of function limits.
	MaxPacked = 100 << 20
	// MaxUnpacked is the size of all its files together, in bytes, from the
	// same page.
	MaxUnpacked = 500 << 20
	// MaxEntries is what a zip without the ZIP64 extension can hold.
	MaxEntries = 1<<16 - 1
	// MaxNameBytes is the length of one entry's whole name. It leaves room
	// for the folder that the archive is unpacked into below the 4096 bytes
	// that Linux allows.
	MaxNameBytes = 1024
)

const (
	// maxElementBytes is the longest name of one file or folder that common
	// file systems allow.
	maxElementBytes = 255
	// maxDepth is how many folders one entry may be in: builds and backups walk
	// no deeper than 128, with a few folders of their own.
	maxDepth = 96
	// directoryBytesPerEntry bounds the memory that listing an archive takes:
	// its directory may be this many bytes long for each entry allowed.
	directoryBytesPerEntry = 256
	// directorySearch is what finding the directory takes beside: a zip ends
	// with a comment of up to 64 KiB, and reads are buffered.
	directorySearch = 128 << 10
)

// Limits bound what an archive may be. The zero value of a field stands for
// the constant of the same name with Max in front.
type Limits struct {
	// Packed and Unpacked are in bytes.
	Packed, Unpacked int64
	// Entries counts files and folders.
	Entries int
	// NameBytes is the length of an entry's name.
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
