// Package s3 implements package blob on an S3-compatible service, with a bounded cache
// of artifacts and builds on this machine.
//
// The objects of an installation have one prefix of a bucket:
//
//	jeton-installation                      the ID of the installation
//	archives/<function>/<digest>/<attempt>  the archive with this SHA-256 digest
//	artifacts/<function>/<name>/<digest>    a tar file with this SHA-256 digest
//	builds/<name>/<digest>                  a tar file with this SHA-256 digest
//
// A key is written by one upload, and an object appears only when its upload is
// complete, so that an unfinished upload is never visible. What is committed to the
// database names the object: the digest of an archive, of which any attempt is as good as
// another, or the name of an artifact, which is unique per build.
//
// Objects are removed by Put after a commit that failed or replaced an older upload of the
// same archive, by Prune, Keep and Delete, and by the limit of the build cache. These exclude
// each other within one process. Processes that share a prefix use blob.Removals: they only
// condemn archives and artifacts, and Collect deletes them later.
package s3
