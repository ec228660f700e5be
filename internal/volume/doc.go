// Package volume makes ext4 file systems of a bounded size in image files and mounts
// them through loop devices. A build or an instance that writes to one cannot fill the
// disk of the server. It needs Linux, root, loop devices and mke2fs.
package volume
