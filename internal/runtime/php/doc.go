// Package php builds PHP functions: it checks the file that the handler names,
// has composer install what composer.json asks for unless the archive brings it,
// and puts a bootstrap beside the code. The bootstrap, which serves the function
// with PHP's own extensions only, turns requests into events and results into
// answers as Scaleway's documentation and published libraries do.
package php
