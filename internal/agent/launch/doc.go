// Package launch is the program "jeton agent launch": the launcher with the languages of this
// program. It runs in init, so that it starts before most packages are initialized: the container
// of a function has a small part of a CPU, and its interpreter waits meanwhile.
package launch
